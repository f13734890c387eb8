package function

import (
	"fmt"
	"strings"
)

// noMapping is the one cause under which messages of a kind become dead letters.
func noMapping(topic string) error {
	return fmt.Errorf("no mapping for topic %s", general(topic))
}

// general replaces the parts of a topic that name one of many by +.
func general(topic string) string {
	parts := strings.Split(topic, "/")
	for i, p := range parts {
		if strings.ContainsAny(p, "0123456789") {
			parts[i] = "+"
		}
	}
	s := strings.Join(parts, "/")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
