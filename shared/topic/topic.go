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

// Name returns the level of a topic that names a device: the last one that is not a
// kind of message, such as "state". If all levels are such kinds, it returns the whole
// topic.
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

// kinds are levels, in lower case, that name a kind of message and not a device.
var kinds = map[string]bool{"state": true, "status": true, "sensor": true, "sensors": true, "data": true, "telemetry": true, "value": true,
	"values": true, "json": true, "info": true, "events": true, "result": true, "temperature": true, "humidity": true, "pressure": true,
	"power": true, "energy": true, "voltage": true, "current": true, "battery": true, "co2": true, "": true}
