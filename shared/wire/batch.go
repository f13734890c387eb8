// Package wire encodes and decodes the messages between hearth's programs: the batch
// that the connector sends to a function, the function's answer, the annotations that
// subscribe a function, and the MQTT messages of edge agents and connectors (design:
// "Contracts"). A format may get new keys, but keys are never changed or removed:
// spools contain messages of earlier versions, and agents of earlier versions still
// run.
package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/scan"
)

// ContentType is the content type of a batch of CloudEvents.
const ContentType = "application/cloudevents-batch+json"

// Message is an MQTT message as a function gets it.
type Message struct {
	ID       string
	Topic    string
	Time     time.Time // of its first arrival; increases strictly within a topic
	Payload  []byte    // valid until the function answers
	QoS      byte      // 0, 1 or 2
	Retained bool
	Replay   bool // a replayed dead letter
}

// decode decodes a batch. The payloads are decoded in place: they are parts of body,
// and body is overwritten.
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

// event decodes one event and ignores unknown attributes.
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
