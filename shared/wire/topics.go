package wire

import "strings"

// The prefixes of hearth's own topics. Readings of edge nodes are on
// Prefix<node>/<device>.
const (
	Prefix       = "hearth/"
	DeadPrefix   = "hearth/dead/"   // notices of dead letters; the id follows
	CanaryPrefix = "hearth/canary/" // canaries; the connector's name follows
)

// ReadingTopic is the topic on which a node publishes the readings of a device.
func ReadingTopic(node, device string) string { return Prefix + node + "/" + device }

// StatusTopic is the topic of a node's NodeStatus, which is retained.
func StatusTopic(node string) string { return Prefix + node + "/status" }

// StoredTopic is the topic of the acknowledgements to a node, StoredUpTo, which are
// retained.
func StoredTopic(node string) string { return Prefix + node + "/stored" }

// Kind is the kind of messages on a topic.
type Kind int

// The kinds of messages.
const (
	Other  Kind = iota // not one of hearth's own topics
	Edge               // Reading, of the node
	Status             // NodeStatus, of the node
	Stored             // StoredUpTo, for the node
	Dead               // DeadNotice, of the message id
	Canary             // CanaryNote, of the connector
	Alert              // an alert's state
)

// Parse returns the kind of a topic, and the name of the node, message or connector in
// it. The name is "" for Other and Alert.
func Parse(topic string) (k Kind, name string) {
	rest, ours := strings.CutPrefix(topic, Prefix)
	first, second, two := strings.Cut(rest, "/")
	switch {
	case strings.HasPrefix(topic, AlertPrefix):
		return Alert, ""
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
