// Package topic matches MQTT topics with filters.
package topic

import (
	"fmt"
	"strings"
)

// Match reports whether an MQTT filter matches a topic (MQTT 3.1.1, section 4.7). "+"
// matches one level. "#" at the end matches the parent and all levels below it. Neither
// matches a first level that begins with "$".
func Match(filter, topic string) bool {
	if topic == "" || filter == "" || topic[0] == '$' && (filter[0] == '+' || filter[0] == '#') {
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
			return frest == "#" // sport/# matches sport
		case !fmore:
			return false
		}
		filter, topic = frest, trest
	}
}

// Check returns an error if the filter is not a valid MQTT filter.
func Check(filter string) error {
	if filter == "" || len(filter) > 65535 || strings.ContainsRune(filter, 0) {
		return fmt.Errorf("%.40q is not an MQTT filter", filter)
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
