package wire

import "strings"

// The topics of hearth itself. Below Prefix follow the node and the device of an
// edge reading.
const (
	Prefix       = "hearth/"
	DeadPrefix   = "hearth/dead/"   // news of a dead letter, by its id
	CanaryPrefix = "hearth/canary/" // what a connector sends itself, by its name
)

// ReadingTopic is where a node publishes the readings of a device.
func ReadingTopic(node, device string) string { return Prefix + node + "/" + device }

// StatusTopic is where a node says, retained, whether it is there.
func StatusTopic(node string) string { return Prefix + node + "/status" }

// StoredTopic is where a node is told, retained, up to where its readings are
// stored.
func StoredTopic(node string) string { return Prefix + node + "/stored" }

// Kind says what a message on a topic is.
type Kind int

// The kinds of messages.
const (
	Other  Kind = iota // none of hearth's own
	Edge               // a Reading; the name is its node
	Status             // of the node
	Stored             // what the connector tells the node
	Dead               // news of the dead letter
	Canary             // of the connector
)

// Parse says what a topic is for, and of whom.
func Parse(topic string) (k Kind, name string) {
	rest, ours := strings.CutPrefix(topic, Prefix)
	first, second, two := strings.Cut(rest, "/")
	switch {
	case !ours || !two || strings.Contains(second, "/"):
		return Other, ""
	case first == "canary":
		return Canary, second
	case first == "dead":
		return Dead, second
	case second == "stored":
		return Stored, first
	case second == "status":
		return Status, first
	}
	return Edge, first
}
