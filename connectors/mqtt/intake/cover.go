package intake

import (
	"slices"
	"strings"
)

// covers reports whether every topic that b takes is taken by a.
func covers(a, b string) bool {
	switch {
	case a == b:
		return true
	case b[0] == '$' && (a[0] == '+' || a[0] == '#'):
		return false
	case b == "#":
		b = "+/#" // the same: a topic has a first level
	case b == "/#":
		b = "/+/#" // the same: no topic is empty
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
