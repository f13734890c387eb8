package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Header sets the headers of a call with a single message, whose payload is the body.
func Header(h http.Header, m *Message) {
	h.Set("X-Topic", m.Topic)
	h.Set("X-Mqtt-Id", m.ID)
	h.Set("X-Mqtt-Time", m.Time.Format(time.RFC3339Nano))
	h.Set("X-Mqtt-Retained", strconv.FormatBool(m.Retained))
	h.Set("Content-Type", "application/octet-stream")
	if len(m.Payload) > 0 && (m.Payload[0] == '{' || m.Payload[0] == '[') {
		h.Set("Content-Type", "application/json")
	}
}

// single decodes a call with a single message, as functions without mqtt-batch get it:
// the body is the payload, and the rest is in the headers.
func single(h http.Header, body []byte) (Message, error) {
	m := Message{ID: h.Get("X-Mqtt-Id"), Topic: h.Get("X-Topic"), Payload: body, Retained: h.Get("X-Mqtt-Retained") == "true"}
	var err error
	m.Time, err = time.Parse(time.RFC3339Nano, h.Get("X-Mqtt-Time"))
	if err != nil || m.ID == "" || m.Topic == "" {
		return m, fmt.Errorf("send a batch of CloudEvents as %s, or one payload with the headers X-Topic, X-Mqtt-Id and X-Mqtt-Time", ContentType)
	}
	return m, nil
}

// Read returns the messages of a call: those of a batch, or a single one. The payloads
// are parts of body, and body is overwritten.
func Read(h http.Header, body []byte) ([]Message, error) {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if strings.TrimSpace(kind) == ContentType {
		return decode(body)
	}
	m, err := single(h, body)
	return []Message{m}, err
}
