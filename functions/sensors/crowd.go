package function

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/wire"
)

const maxSenders = 64 // of one topic without a mapping

// crowds counts the senders of topics on which several publish, by the beginning of their
// physical ids. A key that numbers messages would make each of them a device.
type crowds map[string]int

// crowdOf returns the beginning that the physical ids of all senders on a topic share, ""
// if the topic has but one.
func crowdOf(physical []byte) string {
	if i := bytes.IndexByte(physical, '#'); i >= 0 && bytes.HasPrefix(physical, []byte(topicPrefix)) {
		return string(physical[:i+1])
	}
	return ""
}

// admit reports whether a new physical id has room among the senders of its topic, and
// counts it.
func (c *crowds) admit(b *ingest.Batch, physical []byte) bool {
	crowd := crowdOf(physical)
	if crowd == "" {
		return true
	}
	if *c == nil {
		*c = crowds{}
	}
	if _, counted := (*c)[crowd]; !counted {
		for known := range b.Bindings {
			if strings.HasPrefix(known.Physical, crowd) {
				(*c)[crowd]++
			}
		}
	}
	if (*c)[crowd] >= maxSenders {
		return false
	}
	(*c)[crowd]++
	return true
}

// refused returns why a physical id was not admitted, nil if it was.
func (c crowds) refused(physical []byte, topicName string) error {
	crowd := crowdOf(physical)
	if crowd == "" || c[crowd] < maxSenders {
		return nil
	}
	var paths []string
	for _, part := range strings.Split(string(physical[len(crowd):]), ",") {
		if key, _, ok := strings.Cut(part, "="); ok {
			paths = append(paths, "$."+key)
		}
	}
	return fmt.Errorf(wire.Unmapped+"topic %s: more than %d devices sent there, by %s. Map it with the device that does not change from message to message",
		generalTopic(topicName), maxSenders, strings.Join(paths, ", "))
}
