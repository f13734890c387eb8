package alarms

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
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

// furnish puts the devices into the house.
func (m *month) furnish() {
	noise := func(of float64) float64 { return m.r.NormFloat64() * of }
	day := func(at time.Time, base, swing float64) float64 { // warmest at 15:00
		return base + swing*math.Cos(2*math.Pi*(at.Sub(at.Truncate(24*time.Hour)).Hours()-15)/24)
	}
	round := func(v float64, to float64) float64 { return math.Round(v*to) / to }
	always := func(d time.Duration) func(time.Time) time.Duration {
		return func(time.Time) time.Duration { return d }
	}
	onChange := func(at time.Time) time.Duration { // often by day, each hour at night
		if h := at.Hour(); h >= 7 && h < 23 {
			return min(time.Hour, time.Duration(2+m.r.ExpFloat64()*12)*time.Minute)
		}
		return time.Hour + time.Duration(m.r.IntN(60))*time.Second
	}
	add := func(g *gadget) {
		g.next = m.now.Add(time.Duration(m.r.IntN(600)) * time.Second)
		m.gadgets = append(m.gadgets, g)
	}
	add(&gadget{id: "office-air", gap: always(step), values: func(at time.Time) map[string]any {
		co2 := day(at, 800, 250) + noise(15)
		if m.flap {
			co2 = 700
			if at.Unix()/600%2 == 0 {
				co2 = 2200
			}
		}
		return map[string]any{"co2_ppm": round(co2, 1), "temperature_celsius": round(day(at, 21, 1.5)+noise(0.1), 100), "humidity_percent": round(day(at, 45, 5)+noise(0.5), 10)}
	}})
	add(&gadget{id: "attic-air", gap: always(step), values: func(at time.Time) map[string]any {
		return map[string]any{"temperature_celsius": round(day(at, 24, 6)+noise(0.1), 100), "humidity_percent": round(day(at, 50, -10)+noise(0.5), 10), "pressure_hpa": round(1013+noise(0.2), 10)}
	}})
	add(&gadget{id: "lab-dust", gap: always(step), values: func(at time.Time) map[string]any {
		return map[string]any{"pm2_5_ugm3": round(max(0, 6+noise(2)), 10), "pm10_ugm3": round(max(0, 9+noise(2)), 10)}
	}})
	for i, id := range []string{"bedroom", "bath", "hall"} {
		add(&gadget{id: id, zigbee: true, gap: onChange, values: func(at time.Time) map[string]any {
			return map[string]any{"temperature": round(day(at, 20+float64(i), 1.5)+noise(0.1), 100), "humidity": round(day(at, 50, 8)+noise(1), 10), "battery": 90}
		}})
	}
	add(&gadget{id: "freezer", zigbee: true, gap: always(30 * time.Minute), values: func(at time.Time) map[string]any {
		v := -18 + noise(0.3)
		if !m.drift.IsZero() {
			v += at.Sub(m.drift).Hours() * 0.55
		}
		return map[string]any{"temperature": round(v, 10), "battery": 80}
	}})
	add(&gadget{id: "washer", zigbee: true, gap: always(5 * time.Minute), values: func(at time.Time) map[string]any {
		return map[string]any{"power": round(max(0, 3+noise(0.5)), 10), "state": "ON"}
	}})
	add(&gadget{id: "hall-motion", zigbee: true, values: func(at time.Time) map[string]any {
		return map[string]any{"occupancy": m.r.IntN(2) == 0, "battery": 77}
	}, gap: func(at time.Time) time.Duration { // nothing at night
		if h := at.Hour(); h >= 22 || h < 6 {
			morning := at.Add(2 * time.Hour).Truncate(24 * time.Hour).Add(6 * time.Hour)
			return morning.Add(time.Duration(m.r.IntN(90)) * time.Minute).Sub(at)
		}
		return time.Duration(1+m.r.ExpFloat64()*20) * time.Minute
	}})
	add(&gadget{id: "front-door", zigbee: true, values: func(at time.Time) map[string]any { return map[string]any{"contact": true, "battery": 66} },
		gap: func(at time.Time) time.Duration { return time.Duration(1+m.r.ExpFloat64()*90) * time.Minute }})
	add(&gadget{id: "cellar-leak", zigbee: true, gap: always(50 * time.Minute), values: func(at time.Time) map[string]any {
		return map[string]any{"water_leak": m.leak, "battery": 100}
	}})
	m.introduce()
}

// introduce lets the bridge list its devices.
func (m *month) introduce() {
	var list []string
	for i, g := range m.gadgets {
		if !g.zigbee {
			continue
		}
		var exposes []string
		for key, v := range g.values(m.now) {
			kind := "numeric"
			if _, ok := v.(bool); ok {
				kind = "binary"
			}
			unit := map[string]string{"temperature": "°C", "humidity": "%", "battery": "%", "power": "W"}[key]
			if s := `{"type":"` + kind + `","property":"` + key + `","unit":"` + unit + `","access":1`; kind == "binary" {
				exposes = append(exposes, s+`,"value_on":true,"value_off":false}`)
			} else if key != "state" {
				exposes = append(exposes, s+"}")
			}
		}
		list = append(list, fmt.Sprintf(`{"ieee_address":"0x%016x","type":"EndDevice","friendly_name":%q,"definition":{"model":"M","vendor":"V","exposes":[%s]}}`, i+1, g.id, strings.Join(exposes, ",")))
	}
	m.send(m.zigbee, "zigbee2mqtt/bridge/state", `{"state":"online"}`, m.now)
	m.send(m.zigbee, "zigbee2mqtt/bridge/devices", "["+strings.Join(list, ",")+"]", m.now)
	m.send(m.sensors, "hearth/pi/status", `{"state":"online","boot":"b"}`, m.now)
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

// notice is a row of the outbox.
type notice struct {
	key, what string
	at        time.Time
	text      string
}

func (n notice) String() string {
	return fmt.Sprintf("%s %s at %s", n.key, n.what, n.at.Format(stamp))
}

// told returns the messages of the outbox, oldest first.
func (m *month) told() (out []notice) {
	db, err := sql.Open("sqlite", m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`select key, what, created, text from outbox order by created, key`)
	if err != nil {
		m.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n notice
		var created int64
		if err := rows.Scan(&n.key, &n.what, &created, &n.text); err != nil {
			m.t.Fatal(err)
		}
		n.at = time.UnixMicro(created).UTC()
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	return out
}

// checkOutages checks what Slack was told while there was no database: the first word
// within five minutes, not more than once an hour, and that it is right again.
func (m *month) checkOutages() {
	for _, f := range m.faults {
		if f.key != "store-away" {
			continue
		}
		var during, after int
		for _, at := range m.direct {
			switch {
			case at.Before(f.begin) || at.After(f.end.Add(time.Hour)):
			case at.Before(f.end):
				during++
				if during == 1 && at.Sub(f.begin) > 5*time.Minute {
					m.t.Errorf("the database's outage at %s was told at %s", f.begin.Format(stamp), at.Format(stamp))
				}
			default:
				after++
			}
		}
		if hours := int(f.end.Sub(f.begin).Hours()) + 1; during < 1 || during > hours || after < 1 {
			m.t.Errorf("the database's outage at %s was told %d times, and its end %d times", f.begin.Format(stamp), during, after)
		}
	}
}
