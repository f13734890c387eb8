// Package wire is what hearth's programs say to each other, written and read in
// one place: the batch that the connector sends to a function and the answer
// that it understands, the annotations by which it finds functions, and the MQTT
// messages of edge agents, connectors and canaries (design: "Contracts"). Shapes
// only grow: spools and agents of earlier versions hold the older ones.
package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/scan"
)

// ContentType is that of a batch of CloudEvents.
const ContentType = "application/cloudevents-batch+json"

// Message is one MQTT message.
type Message struct {
	ID       string
	Topic    string
	Time     time.Time // of its first arrival, increasing strictly per topic
	Payload  []byte    // valid until the function answers
	QoS      byte
	Retained bool
	Replay   bool // from the dead letters
}

// decode reads a batch. Payloads are decoded in place: body is used up.
func decode(body []byte) ([]Message, error) {
	ms := make([]Message, 0, 1+len(body)/400)
	s := scan.New(body)
	err := s.Array(func(int) error {
		m, err := event(s)
		ms = append(ms, m)
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, fmt.Errorf("decode the batch: %w", err)
	}
	return ms, nil
}

var errIncomplete = errors.New("an event needs id, subject and time")

// event reads one event. Attributes that hearth does not know are passed over.
func event(s *scan.Scanner) (m Message, err error) {
	err = s.Object(func(key []byte) error {
		var b []byte
		var err error
		switch string(key) {
		case "id":
			b, err = s.Text()
			m.ID = string(b)
		case "subject":
			b, err = s.Text()
			m.Topic = string(b)
		case "time":
			if b, err = s.Text(); err == nil {
				m.Time, err = time.Parse(time.RFC3339Nano, string(b))
			}
		case "mqttqos":
			var n float64
			n, err = s.Float()
			m.QoS = byte(n)
		case "mqttretained":
			m.Retained, err = s.Bool()
		case "mqttreplay":
			m.Replay, err = s.Bool()
		case "data_base64":
			if b, err = s.Text(); err == nil {
				var n int
				n, err = base64.StdEncoding.Decode(b, b)
				m.Payload = b[:n]
			}
		case "data":
			m.Payload, err = s.Raw()
		default:
			err = s.Skip()
		}
		return err
	})
	if err == nil && (m.ID == "" || m.Topic == "" || m.Time.IsZero()) {
		err = errIncomplete
	}
	return m, err
}
