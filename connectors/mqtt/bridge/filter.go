package bridge

import (
	"strings"

	"github.com/hearth-home/hearth/shared/topic"
)

// ParseFilters splits an annotation at its commas. One with ! in front excepts
// what it matches: "#,!zigbee2mqtt/#". What is no filter is returned as an error
// beside the good ones.
func ParseFilters(annotation string) (filters, except []string, err error) {
	for f := range strings.SplitSeq(annotation, ",") {
		f, not := strings.CutPrefix(strings.TrimSpace(f), "!")
		if f == "" && !not {
			continue
		}
		if e := topic.Check(f); e != nil {
			err = e
			continue
		}
		if not {
			except = append(except, f)
		} else {
			filters = append(filters, f)
		}
	}
	return filters, except, err
}

func matchAny(filters []string, name string) bool {
	for _, f := range filters {
		if topic.Match(f, name) {
			return true
		}
	}
	return false
}
