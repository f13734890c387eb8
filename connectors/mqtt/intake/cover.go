package intake

import (
	"slices"
	"strings"
)

// covers reports whether filter a matches every topic that filter b matches.
func covers(a, b string) bool {
	switch {
	case a == b:
		return true
	case b[0] == '$' && (a[0] == '+' || a[0] == '#'):
		return false
	case b == "#":
		b = "+/#" // matches the same: every topic has a first level
	case b == "/#":
		b = "/+/#" // matches the same: /# also matches its parent, but that is the empty topic, and there is none
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
			return arest == "#" // sport/# matches sport
		case !amore:
			return false
		}
		a, b = arest, brest
	}
}

// widest returns the filters without those that another one covers.
func widest(filters []string) (out []string) {
	for _, f := range filters {
		if slices.ContainsFunc(out, func(o string) bool { return covers(o, f) }) {
			continue
		}
		out = append(slices.DeleteFunc(out, func(o string) bool { return covers(f, o) }), f)
	}
	return out
}
