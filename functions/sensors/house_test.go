package function

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
)

// noon is when the messages of these tests were measured.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// served is the function over a store, with a clock and settings of the test's.
type served struct {
	f    func(handler.Request) (handler.Response, error)
	now  time.Time // zero: shortly after the newest message
	dir  string    // of secrets
	last time.Time
}

func serve(t testing.TB, st *store.Store) *served {
	t.Helper()
	s := &served{dir: t.TempDir()}
	env := config.Env{
		Vars: map[string]string{}, Secrets: secret.NewFolder(s.dir), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Open: func(context.Context) (*store.Store, error) { return st, nil },
		Now: func() time.Time {
			if s.now.IsZero() {
				return s.last.Add(20 * time.Millisecond)
			}
			return s.now
		},
	}
	var err error
	if s.f, err = New(env); err != nil {
		t.Fatal(err)
	}
	return s
}

// batchOf encodes messages as the connector does.
func batchOf(ms ...mqttbatch.Message) []byte {
	type event struct {
		SpecVersion string    `json:"specversion"`
		Type        string    `json:"type"`
		Source      string    `json:"source"`
		ID          string    `json:"id"`
		Subject     string    `json:"subject"`
		Time        time.Time `json:"time"`
		QoS         int       `json:"mqttqos"`
		Retained    bool      `json:"mqttretained"`
		Replay      bool      `json:"mqttreplay,omitempty"`
		Data        string    `json:"data_base64"`
	}
	events := make([]event, len(ms))
	for i, m := range ms {
		events[i] = event{"1.0", "mqtt.message", "hearth/connector", m.ID, m.Topic, m.Time, 1, m.Retained, m.Replay, base64.StdEncoding.EncodeToString(m.Payload)}
	}
	b, err := json.Marshal(events)
	if err != nil {
		panic(err)
	}
	return b
}

// post sends a batch that must be taken.
func (s *served) post(t testing.TB, body []byte) mqttbatch.Answer {
	t.Helper()
	code, answer := s.try(t, body)
	if code != http.StatusOK && code != http.StatusMultiStatus {
		t.Fatalf("answered %d: %s", code, answer)
	}
	var a mqttbatch.Answer
	if err := json.Unmarshal(answer, &a); err != nil {
		t.Fatal(err)
	}
	if (code == http.StatusMultiStatus) != (len(a.Rejected)+len(a.Retry) > 0) {
		t.Fatalf("answered %d: %s", code, answer)
	}
	return a
}

func (s *served) try(t testing.TB, body []byte) (int, []byte) {
	t.Helper()
	var events []struct{ Time time.Time }
	if err := json.Unmarshal(body, &events); err == nil {
		for _, e := range events {
			if e.Time.After(s.last) {
				s.last = e.Time
			}
		}
	}
	return s.call(t, bytes.Clone(body)) // it is used up
}

func (s *served) call(t testing.TB, body []byte) (int, []byte) {
	t.Helper()
	req := handler.Request{Method: http.MethodPost, Body: body, Header: http.Header{"Content-Type": {mqttbatch.ContentType}}}
	req.WithContext(t.Context())
	r, err := s.f(req)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Body
}
