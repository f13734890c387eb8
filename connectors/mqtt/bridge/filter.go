package bridge

import (
	"fmt"
	"strings"
)

// Match reports whether an MQTT filter takes a topic (MQTT 3.1.1, section 4.7):
// "+" is one level, "#" at the end is what is left, the parent included, and
// neither takes a first level that begins with "$".
func Match(filter, topic string) bool {
	if topic == "" || filter == "" {
		return false
	}
	if topic[0] == '$' && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	for {
		f, frest, fmore := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, trest, tmore := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		switch {
		case !fmore && !tmore:
			return true
		case !tmore:
			return frest == "#" // sport/# takes sport
		case !fmore:
			return false
		}
		filter, topic = frest, trest
	}
}

// CheckFilter says what is wrong with a filter, if anything.
func CheckFilter(filter string) error {
	if filter == "" || len(filter) > 65535 || strings.ContainsRune(filter, 0) {
		return fmt.Errorf("%.40q is no MQTT filter", filter)
	}
	levels := strings.Split(filter, "/")
	for i, l := range levels {
		if strings.ContainsAny(l, "+#") && len(l) > 1 {
			return fmt.Errorf("filter %q: + and # must stand alone in their level", filter)
		}
		if l == "#" && i < len(levels)-1 {
			return fmt.Errorf("filter %q: # must be the last level", filter)
		}
	}
	return nil
}

// ParseFilters splits an annotation at its commas. One with ! in front excepts
// what it matches: "#,!zigbee2mqtt/#". What is no filter is returned as an error
// beside the good ones.
func ParseFilters(annotation string) (filters, except []string, err error) {
	for f := range strings.SplitSeq(annotation, ",") {
		f, not := strings.CutPrefix(strings.TrimSpace(f), "!")
		if f == "" && !not {
			continue
		}
		if e := CheckFilter(f); e != nil {
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

func matchAny(filters []string, topic string) bool {
	for _, f := range filters {
		if Match(f, topic) {
			return true
		}
	}
	return false
}
