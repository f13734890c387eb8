package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// harness is the function on a SQLite database, with a clock of its own and a Slack that
// keeps what is posted.
type harness struct {
	t       *testing.T
	st      *store.Store
	now     time.Time
	handler http.Handler
	env     serve.Env
	folder  string   // of the secrets
	broken  bool     // the store cannot be opened
	posts   []string // at Slack
	reports map[string]func(time.Time)
	told    map[string]bool // keys of messages that were seen by messages
}

func start(t *testing.T) *harness {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h := &harness{t: t, st: st, now: noon, told: map[string]bool{}, reports: map[string]func(time.Time){}}
	h.folder = t.TempDir()
	h.env = serve.Env{
		Env:  config.Env{Vars: map[string]string{"ALERTS_MODE": "show", "SCHEDULE": "* * * * *"}, Secrets: secret.NewFolder(h.folder), Now: func() time.Time { return h.now }, Log: slog.New(slog.DiscardHandler)},
		Open: func(context.Context) (*store.Store, error) { return h.open() },
	}
	h.build()
	return h
}

func (h *harness) open() (*store.Store, error) {
	if h.broken {
		return nil, errors.New("dial tcp 10.0.0.7:5432: connection refused")
	}
	return h.st, nil
}

// build starts the function anew: what it had in memory is lost.
func (h *harness) build() {
	h.t.Helper()
	handler, err := New(h.env)
	if err != nil {
		h.t.Fatal(err)
	}
	h.handler = handler
}

// call makes one call.
func (h *harness) call() (answer, int) {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		h.t.Fatalf("%s: %v", w.Body, err)
	}
	return a, w.Code
}

// run lets so much time pass, with a call each minute before which each device reports.
func (h *harness) run(d time.Duration) {
	h.t.Helper()
	for end := h.now.Add(d); h.now.Before(end); {
		h.now = h.now.Add(time.Minute)
		for _, report := range h.reports {
			report(h.now)
		}
		if a, code := h.call(); code != http.StatusOK {
			h.t.Fatalf("%s: %d %+v", h.now, code, a)
		}
	}
}

// messages returns the titles of the messages that were queued since the last call.
func (h *harness) messages() (titles []string) {
	h.t.Helper()
	for _, text := range h.texts() {
		title, _, _ := strings.Cut(text, "\n")
		titles = append(titles, title)
	}
	return titles
}

func (h *harness) texts() (texts []string) {
	h.t.Helper()
	for _, m := range h.queued() {
		if !h.told[m.Key] {
			h.told[m.Key] = true
			texts = append(texts, m.Text)
		}
	}
	return texts
}

// queued returns the messages that are due or sent, the oldest first.
func (h *harness) queued() []store.Queued {
	h.t.Helper()
	all, err := h.st.Outbox(h.t.Context(), 10_000)
	if err != nil {
		h.t.Fatal(err)
	}
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(m store.Queued) bool { return m.Due.After(h.now) })
}

// expect fails the test unless exactly these messages were queued since the last call.
func (h *harness) expect(what string, want ...string) {
	h.t.Helper()
	if got := h.messages(); fmt.Sprint(got) != fmt.Sprint(want) {
		h.t.Errorf("%s, at %s: %q, want %q", what, h.now.Format("2 Jan 15:04"), got, want)
	}
}

// adopt registers devices.
func (h *harness) adopt(requests ...store.DeviceRequest) {
	h.t.Helper()
	if _, err := h.st.AdoptDevices(h.t.Context(), requests, h.now); err != nil {
		h.t.Fatal(err)
	}
}

// save stores states as of now.
func (h *harness) save(states ...store.DeviceState) {
	h.t.Helper()
	for i := range states {
		s := &states[i]
		if s.Arrived.IsZero() {
			s.Arrived = h.now
		}
		if s.Time.IsZero() {
			s.Time = s.Arrived
		}
		if s.Changed.IsZero() {
			s.Changed = s.Time
		}
		if s.Quality == "" {
			s.Quality = "ok"
		}
	}
	err := h.st.Commit(h.t.Context(), "test", store.Batch{}, func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveDevices(ctx, store.DeviceChange{States: states})
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// edge registers a sensor behind the node pi4. From then on it reports each minute.
func (h *harness) edge(id string) {
	h.t.Helper()
	h.adopt(store.DeviceRequest{Physical: "edge/" + id, Kind: "edge", Device: id, Name: id, Publisher: "hearth/pi4"})
	h.reports[id] = func(now time.Time) {
		h.save(store.DeviceState{Device: id, Metric: "co2_ppm", Value: float64(now.Unix() % 997)})
	}
}

// node registers the node pi4 and sets whether it is online.
func (h *harness) node(online float64) {
	h.t.Helper()
	h.adopt(store.DeviceRequest{Physical: "node/pi4", Kind: "node", Device: "edge-pi4", Name: "pi4", Publisher: "hearth/pi4"})
	h.save(store.DeviceState{Device: "edge-pi4", Metric: "online", Value: online})
}

// zigbee registers a device behind Zigbee2MQTT; every says when it reports.
func (h *harness) zigbee(n int, id string, metrics []store.DeviceState, every func(now time.Time) bool) {
	h.t.Helper()
	h.adopt(store.DeviceRequest{Physical: fmt.Sprintf("0x%04d", n), Kind: "zigbee", Device: id, Name: id, About: json.RawMessage(`{"base":"zigbee2mqtt"}`), Publisher: "zigbee2mqtt/" + id})
	h.reports[id] = func(now time.Time) {
		if every(now) {
			states := make([]store.DeviceState, len(metrics))
			for i, m := range metrics {
				m.Device = id
				states[i] = m
			}
			h.save(states...)
		}
	}
}

// canary stores a message that came through the broker each minute.
func (h *harness) canary() {
	h.reports["canary"] = func(now time.Time) {
		h.t.Helper()
		err := h.st.Write(h.t.Context(), []reading.Reading{{Name: "canary", Tags: map[string]string{"connector": "c"}, Fields: map[string]float64{"latency_seconds": 0.1}, Time: now}})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// slack gives the function a webhook, whose posts are kept.
func (h *harness) slack() {
	h.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Text string }
		json.NewDecoder(r.Body).Decode(&body)
		h.posts = append(h.posts, body.Text)
		w.Write([]byte("ok"))
	}))
	h.t.Cleanup(server.Close)
	h.secret("slack-webhooks", server.URL)
	h.build()
}

func (h *harness) alerts() map[string]alert.State {
	h.t.Helper()
	all, err := h.st.Alerts(h.t.Context(), 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string]alert.State{}
	for _, s := range all {
		out[s.Key] = s
	}
	return out
}

func (h *harness) secret(name, value string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.folder, name), []byte(value), 0o600); err != nil {
		h.t.Fatal(err)
	}
}
