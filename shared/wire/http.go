package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Header puts what a single message has besides its payload into h.
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

// single is a message as functions without mqtt-batch get it: the payload as it
// is and the rest in headers.
func single(h http.Header, body []byte) (Message, error) {
	m := Message{ID: h.Get("X-Mqtt-Id"), Topic: h.Get("X-Topic"), Payload: body, Retained: h.Get("X-Mqtt-Retained") == "true"}
	var err error
	m.Time, err = time.Parse(time.RFC3339Nano, h.Get("X-Mqtt-Time"))
	if err != nil || m.ID == "" || m.Topic == "" {
		return m, fmt.Errorf("send a batch of CloudEvents as %s, or one payload with the headers X-Topic, X-Mqtt-Id and X-Mqtt-Time", ContentType)
	}
	return m, nil
}

// Read returns the messages that a request brings: a batch, or one with its
// headers. body is used up.
func Read(h http.Header, body []byte) ([]Message, error) {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if strings.TrimSpace(kind) == ContentType {
		return decode(body)
	}
	m, err := single(h, body)
	return []Message{m}, err
}
