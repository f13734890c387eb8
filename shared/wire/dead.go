package wire

import "time"

// ExcerptBytes is how many bytes of a dead letter's payload are in its notices.
const ExcerptBytes = 4 << 10

// DeadNotice is the message on hearth/dead/<id>. The connector publishes it to the
// function that mirrors the dead letters, after each change of a dead letter and after
// its removal.
type DeadNotice struct {
	ID       string    `json:"id"` // of the message
	Function string    `json:"function"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason"`  // of the last refusal
	First    time.Time `json:"first"`   // time of the first refusal
	Last     time.Time `json:"last"`    // time of the last refusal
	Count    int64     `json:"count"`   // refusals
	Arrival  int64     `json:"arrival"` // of the message, unix nanoseconds
	QoS      byte      `json:"qos"`
	Retained bool      `json:"retained"`
	Size     int64     `json:"size"`                    // of the payload, bytes
	Cut      bool      `json:"cut,omitempty"`           // the connector has only the payload's beginning
	Excerpt  []byte    `json:"sample_base64,omitempty"` // the payload's beginning, without secrets
	Gone     bool      `json:"gone,omitempty"`          // the dead letter is removed
}

// CanaryNote is the message on hearth/canary/<connector>.
type CanaryNote struct {
	N    uint64    `json:"n"` // canaries since the connector's start, this one included
	Sent time.Time `json:"sent"`
}
