package wire

import "time"

// SampleBytes is how much of a dead letter's payload its news bring.
const SampleBytes = 4 << 10

// DeadNews is the message at hearth/dead/<id>: a dead letter that is there, or
// Gone.
type DeadNews struct {
	ID       string    `json:"id"` // of the message
	Function string    `json:"function"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason"` // of the last refusal
	First    time.Time `json:"first"`  // refused
	Last     time.Time `json:"last"`
	Count    int64     `json:"count"`
	Arrival  int64     `json:"arrival"` // of the message, unix nanoseconds
	QoS      byte      `json:"qos"`
	Retained bool      `json:"retained"`
	Size     int64     `json:"size"`          // of the payload, bytes
	Cut      bool      `json:"cut,omitempty"` // the connector has only the payload's beginning
	Sample   []byte    `json:"sample_base64,omitempty"`
	Gone     bool      `json:"gone,omitempty"`
}

// CanaryNote is the message at hearth/canary/<connector>.
type CanaryNote struct {
	N    uint64    `json:"n"`
	Sent time.Time `json:"sent"`
}
