package bridge

import (
	"slices"
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

// covers reports whether every topic that b takes is taken by a.
func covers(a, b string) bool {
	switch {
	case a == b:
		return true
	case b[0] == '$' && (a[0] == '+' || a[0] == '#'):
		return false
	case b == "#":
		b = "+/#" // the same: a topic has a first level
	}
	for {
		al, arest, amore := strings.Cut(a, "/")
		if al == "#" {
			return true
		}
		bl, brest, bmore := strings.Cut(b, "/")
		if bl == "#" || al != "+" && al != bl {
			return false
		}
		switch {
		case !amore && !bmore:
			return true
		case !bmore:
			return arest == "#" // sport/# takes sport
		case !amore:
			return false
		}
		a, b = arest, brest
	}
}

// widest leaves out the filters that others cover.
func widest(filters []string) (out []string) {
	for _, f := range filters {
		if slices.ContainsFunc(out, func(o string) bool { return covers(o, f) }) {
			continue
		}
		out = append(slices.DeleteFunc(out, func(o string) bool { return covers(f, o) }), f)
	}
	return out
}
