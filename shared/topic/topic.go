// Package topic matches MQTT topics.
package topic

import (
	"fmt"
	"strings"
)

// Match reports whether an MQTT filter takes a topic (MQTT 3.1.1, section 4.7):
// "+" is one level, "#" at the end is what is left, the parent included, and
// neither takes a first level that begins with "$".
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
			return frest == "#" // sport/# takes sport
		case !fmore:
			return false
		}
		filter, topic = frest, trest
	}
}

// Check says what is wrong with a filter, if anything.
func Check(filter string) error {
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

// Name is what a topic calls the thing that it is about: its last level, with
// the one before where the last only says what kind of message it is.
func Name(topic string) string {
	levels := strings.Split(strings.Trim(topic, "/"), "/")
	last := len(levels) - 1
	for last > 0 && kinds[strings.ToLower(levels[last])] {
		last--
	}
	if kinds[strings.ToLower(levels[last])] || levels[last] == "" {
		return strings.Trim(topic, "/")
	}
	return levels[last]
}

// kinds are levels that name no thing.
var kinds = map[string]bool{"state": true, "status": true, "sensor": true, "sensors": true, "data": true, "telemetry": true, "value": true,
	"values": true, "json": true, "info": true, "events": true, "result": true, "temperature": true, "humidity": true, "pressure": true,
	"power": true, "energy": true, "voltage": true, "current": true, "battery": true, "co2": true, "": true}
