package topic

import (
	"slices"
	"strings"
)

const maxEnds = 6 // levels of an end that is not the whole topic

// Ends returns the ends of a topic, the shortest first and the whole one last. Levels
// that say a kind of message are left out at its end if possible, and alone are no end.
func Ends(topic string) (out []string) {
	levels := strings.Split(strings.Trim(topic, "/"), "/")
	end := len(levels)
	for end > 0 && kindsOfMessage[strings.ToLower(levels[end-1])] {
		end--
	}
	for _, ls := range [][]string{levels[:end], levels} {
		for n := 1; n <= min(len(ls), maxEnds); n++ {
			from := len(ls) - n
			if name := strings.Join(ls[from:], "/"); name != "" && !slices.Contains(out, name) && from < end {
				out = append(out, name)
			}
		}
	}
	if !slices.Contains(out, topic) {
		out = append(out, topic)
	}
	return out
}

// kindsOfMessage are levels of topics, in small letters, that name no device.
var kindsOfMessage = map[string]bool{"state": true, "status": true, "sensor": true, "sensors": true, "data": true, "telemetry": true, "value": true,
	"values": true, "json": true, "info": true, "events": true, "result": true, "": true}
