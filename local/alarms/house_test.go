package alarms

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	alertdevices "github.com/hearth-home/hearth/functions/alert-devices"
	sensors "github.com/hearth-home/hearth/functions/sensors"
	zigbee "github.com/hearth-home/hearth/functions/zigbee"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	step  = 2 * time.Minute // between two ticks of alert-devices
	stamp = "2 Jan 15:04"
)

// month is a simulated house, whose functions are the real ones on SQLite.
type month struct {
	t        *testing.T
	r        *rand.Rand
	path     string
	st       *store.Store
	sensors  *batchtest.Served
	zigbee   *batchtest.Served
	devices  http.Handler // alert-devices
	direct   []time.Time  // posts to Slack about the store
	now, end time.Time
	real     time.Time // when now began
	gadgets  []*gadget
	faults   []fault
	waiting  map[*batchtest.Served][]wire.Message // that could not be stored yet
	readings int
	seq      int

	drift  time.Time // since when the freezer warms
	flap   bool      // the office's CO₂ jumps
	leak   bool
	bridge bool // it is off
	away   bool // the database is off
}

// gadget is a device that reports.
type gadget struct {
	id     string
	zigbee bool
	next   time.Time
	gap    func(at time.Time) time.Duration
	values func(at time.Time) map[string]any
	dead   bool
	frozen bool
	last   map[string]any
}

func newMonth(t *testing.T, seed uint64, days int) *month {
	m := &month{t: t, r: rand.New(rand.NewPCG(seed, 30)), path: filepath.Join(quick(t), "hearth.db"), now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), waiting: map[*batchtest.Served][]wire.Message{}}
	m.end = m.now.AddDate(0, 0, days)
	m.open()
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); m.away || strings.Contains(string(body), "again") && strings.Contains(string(body), "database") {
			m.direct = append(m.direct, m.now)
		}
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(slack.Close)
	secrets := map[string]string{"slack-webhooks": slack.URL + "/hook", "hearth-settings": "devices:\n  - {device: cellar-leak, room: Cellar}\n  - {device: bedroom, room: Bedroom}\n  - {device: office-air, room: Office}\n"}
	m.sensors = m.serve(sensors.New, secrets)
	m.zigbee = m.serve(zigbee.New, secrets)
	dir := t.TempDir()
	keep(t, dir, secrets)
	var err error
	m.devices, err = alertdevices.New(serve.Env{
		Env:  config.Env{Vars: map[string]string{}, Secrets: secret.NewFolder(dir), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: m.clock},
		Open: m.opened,
	})
	if err != nil {
		t.Fatal(err)
	}
	m.furnish()
	m.plan(days)
	return m
}

// clock is the time of the house. It goes on while a sender waits between two messages.
func (m *month) clock() time.Time {
	return m.now.Add(time.Since(m.real)) // clock: of the waiting
}

// quick returns a folder in memory where there is one: the simulation commits some ten
// thousand times.
func quick(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "hearth-month")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

type builder func(serve.Env) (batchtest.Func, error)

func (m *month) serve(f builder, secrets map[string]string) *batchtest.Served {
	s := batchtest.Serve(m.t, f, m.st)
	keep(m.t, s.Secrets, secrets)
	return s
}

func keep(t *testing.T, dir string, secrets map[string]string) {
	for name, v := range secrets {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (m *month) open() {
	st, err := sqlite.Open(m.t.Context(), m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	m.st = st
	m.t.Cleanup(func() { st.Close() })
}

func (m *month) opened(context.Context) (*store.Store, error) { return m.st, nil }

func (m *month) storeOff() {
	m.away = true
	m.st.Close()
}

func (m *month) storeOn() {
	m.open()
	m.sensors.Store, m.zigbee.Store = m.st, m.st
	m.away = false
}

func (m *month) bridgeOff() {
	m.bridge = true
	m.send(m.zigbee, "zigbee2mqtt/bridge/state", `{"state":"offline"}`, m.now)
}

func (m *month) bridgeOn() {
	m.bridge = false
	m.send(m.zigbee, "zigbee2mqtt/bridge/state", `{"state":"online"}`, m.now)
	for _, g := range m.gadgets { // devices that are powered report at once, the others as they do
		if g.next = m.now.Add(g.gap(m.now) / 2); g.id == "washer" {
			g.next = m.now
		}
	}
}

func (m *month) gadget(id string) *gadget {
	for _, g := range m.gadgets {
		if g.id == id {
			return g
		}
	}
	m.t.Fatal(id)
	return nil
}

// send hands a message to a function.
func (m *month) send(f *batchtest.Served, topic, payload string, at time.Time) {
	m.waiting[f] = append(m.waiting[f], wire.Message{Topic: topic, Time: at, Payload: []byte(payload)})
}

// run lets the time of the house pass.
func (m *month) run() {
	for ; m.now.Before(m.end); m.now = m.now.Add(step) {
		m.real = time.Now() // clock: of the waiting
		for i := range m.faults {
			if f := &m.faults[i]; !m.now.Before(f.begin) && f.start != nil {
				f.start(m)
				f.start = nil
			} else if !m.now.Before(f.end) && f.stop != nil {
				f.stop(m)
				f.stop = nil
			}
		}
		for _, g := range m.gadgets {
			m.report(g)
		}
		m.send(m.sensors, "hearth/canary/connector", fmt.Sprintf(`{"sent":%q,"n":1}`, m.now.Add(-time.Second).Format(time.RFC3339Nano)), m.now)
		for _, f := range []*batchtest.Served{m.sensors, m.zigbee} {
			m.hand(f)
		}
		w := httptest.NewRecorder()
		m.devices.ServeHTTP(w, httptest.NewRequestWithContext(m.t.Context(), http.MethodPost, "/", nil))
		if w.Code != http.StatusOK && !m.away {
			m.t.Fatalf("%s: alert-devices answered %d: %s", m.now.Format(stamp), w.Code, w.Body)
		}
	}
}

// report lets a device report what it has to until now.
func (m *month) report(g *gadget) {
	for ; !g.next.After(m.now); g.next = g.next.Add(max(time.Second, g.gap(g.next))) {
		at := g.next
		values := g.values(at)
		if g.frozen && g.last != nil {
			values["temperature_celsius"] = g.last["temperature_celsius"]
		}
		if g.last = values; g.dead || g.zigbee && m.bridge {
			continue
		}
		m.readings++
		if !g.zigbee {
			fields, _ := json.Marshal(values)
			m.seq++
			m.send(m.sensors, "hearth/pi/"+g.id, fmt.Sprintf(`{"device":%q,"sensor":"x","time":%q,"boot":"b","seq":%d,"fields":%s}`, g.id, at.Format(time.RFC3339Nano), m.seq, fields), at.Add(50*time.Millisecond))
			continue
		}
		payload, _ := json.Marshal(values)
		m.send(m.zigbee, "zigbee2mqtt/"+g.id, string(payload), at)
	}
}

// hand hands a function the messages that wait for it. While the database is off they go
// on waiting, as in the connector's spool.
func (m *month) hand(f *batchtest.Served) {
	ms := m.waiting[f]
	if len(ms) == 0 {
		return
	}
	f.Clock(m.now)
	code, body := f.Try(m.t, ms...)
	switch {
	case m.away && code == http.StatusServiceUnavailable:
	case code == http.StatusOK:
		m.waiting[f] = nil
	default:
		m.t.Fatalf("%s: answered %d: %s", m.now.Format(stamp), code, body)
	}
}
