package function

import (
	"bytes"
	"fmt"
	"strings"
)

// otherBase is the error for a message of Zigbee2MQTT that came to this function: its
// devices would be stored a second time, without the units that they declare.
func otherBase(base string) error {
	return fmt.Errorf("a message of Zigbee2MQTT, which the function zigbee stores: add %[1]s to ZIGBEE_BASES and %[1]s/# to ZIGBEE_TOPICS (where they have it, !%[1]s/# to SENSORS_TOPICS), or map the topic in hearth.yml", base)
}

// zigbeeBase returns the base topic of a device's message: up to a level that is named
// after Zigbee2MQTT, else all levels but the last. It is "" for a topic of one level.
func zigbeeBase(topic string) string {
	levels := strings.Split(topic, "/")
	for i, l := range levels[:len(levels)-1] {
		if l = strings.ToLower(l); strings.Contains(l, "zigbee") || strings.Contains(l, "z2m") {
			return strings.Join(levels[:i+1], "/")
		}
	}
	return strings.Join(levels[:len(levels)-1], "/")
}

// zigbeeList returns an error if the payload is Zigbee2MQTT's list of devices, which it
// publishes once it starts; otherwise nil.
func zigbeeList(topic string, payload []byte) error {
	base, ok := strings.CutSuffix(topic, "/bridge/devices")
	if ok && bytes.Contains(payload, []byte(`"ieee_address"`)) {
		return otherBase(base)
	}
	return nil
}
