package main_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// today is the day of the test data, a Wednesday, and noon the time at which a person
// looks at the dashboards.
var (
	today = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	noon  = today.Add(12*time.Hour + 7*time.Minute)
)

const day = 24 * time.Hour

// device is one of the register, with the measurement that it reports.
type device struct{ id, kind, name, room, measurement string }

var devices = []device{
	{"office-air", "edge", "Air in the office", "Office", "air"}, {"living-air", "edge", "Air in the living room", "Living room", "air"}, {"pc-case", "mapped", "Case of the PC", "Office", "air"},
	{"plant-1", "edge", "Ficus", "Living room", "soil"}, {"plant-2", "edge", "Basil", "Kitchen", "soil"},
	{"pdu-a", "edge", "Rack A", "Cellar", "power"}, {"pdu-b", "edge", "Rack B", "Cellar", "power"},
	{"ups-1", "edge", "UPS of the rack", "Cellar", "ups"}, {"ups-2", "edge", "UPS of the office", "Office", "ups"},
	{"node-0", "node", "Node 0", "Cellar", "host"}, {"gaming-pc", "mapped", "Gaming PC", "Office", "host"},
	{"plug-z", "zigbee", "Plug of the fridge", "Kitchen", "zigbee"}, {"door-z", "zigbee", "Front door", "Hall", "zigbee"}, {"bridge-z", "bridge", "Zigbee bridge", "", "zigbee"},
	{"button-z", "zigbee", "Button", "Hall", "zigbee_action"}, {"rain-barrel", "mapped", "Rain barrel", "Garden", "custom"},
}

// labels are the values of the other labels: a series for each combination.
var labels = map[string][]string{
	"place": {"berlin", "seattle"}, "symbol": {"SPY", "QQQ"}, "connector": {"home"}, "owner": {"markhamlee"}, "repo": {"markhamlee/one", "markhamlee/two"},
	"product": {"actions"}, "workflow": {"tests"}, "severity": {"critical", "high", "medium", "low"},
	"maturity": {"1m", "2m", "3m", "6m", "1y", "2y", "3y", "5y", "7y", "10y", "20y", "30y"},
}

// series is the readings of one measurement with the same labels.
type series struct {
	m      catalogue.Measurement
	tags   map[string]string
	n      int // counts the series of the measurement
	fields []catalogue.Field
	text   map[string]string
}

// allSeries returns the series of the catalogue that the test data have.
func allSeries() (out []series) {
	for _, m := range catalogue.All() {
		for n, tags := range combinations(m) {
			s := series{m: m, tags: tags, n: n, text: map[string]string{}}
			for _, f := range m.Fields {
				if f.Key != catalogue.Quality && (f.Key != "motion" || n == 2) && (f.Key != "occupancy" || n < 2) { // no device has both
					s.fields = append(s.fields, f)
				}
			}
			keys := open[m.Name]
			if m.Parts || m.Name == "zigbee" {
				keys = parts[tags[catalogue.DeviceLabel]]
			}
			for _, key := range keys {
				f, _ := m.Field(key)
				f.Key = key
				s.fields = append(s.fields, f)
			}
			for _, key := range m.Text {
				if key != catalogue.Suspect {
					s.text[key] = "a " + key
				}
			}
			out = append(out, s)
		}
	}
	return out
}

func combinations(m catalogue.Measurement) []map[string]string {
	all := []map[string]string{{}}
	for _, label := range m.Labels {
		values := labels[label]
		if label == catalogue.DeviceLabel {
			for _, d := range devices {
				if d.measurement == m.Name || m.Name == "telegraf" && d.id == "gaming-pc" {
					values = append(values, d.id)
				}
			}
		}
		var next []map[string]string
		for _, tags := range all {
			for _, v := range values {
				with := map[string]string{label: v}
				for k, other := range tags {
					with[k] = other
				}
				next = append(next, with)
			}
		}
		all = next
	}
	return all
}

// times returns when a measurement has readings: of days every day, else every half hour
// in the last 36 hours, every other day in the last six weeks, and every sixth day before. A
// forecast has some ahead.
func (s series) times() (out []time.Time) {
	step := func(from, to time.Time, d time.Duration) {
		for t := from; t.Before(to); t = t.Add(d) {
			out = append(out, t)
		}
	}
	switch m := s.m; {
	case m.Day && m.Term == "maturity":
		step(today.AddDate(-1, 0, -10), today, day)
		out = slices.DeleteFunc(out, func(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday })
	case m.Day, m.Name == "weather_day":
		step(today.AddDate(-1, 0, -10), today.Add(m.Ahead+1), day)
	default:
		hour := time.Duration(s.n) * time.Hour
		step(today.AddDate(-1, 0, -9).Add(hour), today.AddDate(0, 0, -43), 6*day)
		step(today.AddDate(0, 0, -43).Add(hour), today.AddDate(0, 0, -1), 2*day)
		step(today.AddDate(0, 0, -1), noon, 30*time.Minute)
		step(noon.Truncate(3*time.Hour).Add(3*time.Hour), noon.Add(m.Ahead), 3*time.Hour)
	}
	return out
}

// value is that of a field of a series at a time. It stays the same for a day: so means of
// windows within a day are exact.
func (s series) value(f catalogue.Field, t time.Time) float64 {
	days := float64(t.Unix() / 86400 % 3650)
	switch key := f.Key; {
	case s.m.Term != "" && strings.HasPrefix(key, "maturity"):
		return catalogue.Months(s.tags["maturity"])
	case key == "yield_percent":
		return 3 + math.Log1p(catalogue.Months(s.tags["maturity"]))/5 + math.Mod(days, 7)/100
	case strings.HasSuffix(key, "energy_delta_kwh"):
		return 0.25 * float64(s.n+1)
	case f.Counter:
		return days * float64(s.n+1)
	case key == "power_watts":
		return 100*float64(s.n+1) + math.Mod(days, 7)
	case f.Max <= 1 && f.Unit == "":
		return math.Mod(days+float64(s.n), 2)
	case len(f.Words) > 0:
		return f.Min + math.Mod(days, f.Max-f.Min+1)
	case f.Max-f.Min >= 1e4:
		return max(f.Min, 0) + 1000*float64(s.n+1) + math.Mod(days, 7)
	default:
		return f.Min + (f.Max-f.Min)*(0.4+0.02*float64(s.n)) + (f.Max-f.Min)*math.Mod(days, 7)/100
	}
}

func (s series) reading(t time.Time) reading.Reading {
	r := reading.Reading{Name: s.m.Name, Tags: s.tags, Fields: map[string]float64{}, Text: s.text, Time: t}
	for _, f := range s.fields {
		r.Fields[f.Key] = s.value(f, t)
	}
	return r
}

// rollups returns the rows of a resolution for the readings at times.
func (s series) rollups(resolution time.Duration, times []time.Time) (out []store.RollupSeries) {
	for _, f := range s.fields {
		rows := store.RollupSeries{Tags: s.tags, Field: f.Key}
		for _, t := range times {
			v, start := s.value(f, t), t.Truncate(resolution)
			if n := len(rows.Rows) - 1; n >= 0 && rows.Rows[n].Start.Equal(start) {
				r := &rows.Rows[n]
				r.Sum, r.Min, r.Max, r.Last, r.Count = r.Sum+v, min(r.Min, v), max(r.Max, v), v, r.Count+1
				continue
			}
			rows.Rows = append(rows.Rows, store.Rollup{Start: start, Sum: v, Min: v, Max: v, Last: v, Count: 1})
		}
		out = append(out, rows)
	}
	return out
}

// world is the stores with the test data.
type world struct {
	st                  *store.Store
	influx, bucket, sql string
}

var shared struct {
	sync.Mutex
	world *world
}

// theWorld returns the stores, which all tests share.
func theWorld(t *testing.T) *world {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.world == nil {
		w := openWorld(t)
		w.fillSeries(t)
		w.fillTables(t)
		shared.world = w
	}
	return shared.world
}

func openWorld(t *testing.T) *world {
	t.Helper()
	t.Setenv("GOGC", "400") // of InfluxDB: it would spend most of its time on collecting the garbage of parsed queries
	w := &world{sql: testserver.Postgres(t)}
	w.influx, w.bucket = testserver.Influx(t)
	dir, err := os.MkdirTemp("", "hearth-dashboards-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, value := range map[string]string{"influx-token": "any:any-token", "database-url": w.sql} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	secrets := secret.NewFolder(dir)
	if err := store.Migrate(t.Context(), secrets.Get("database-url")); err != nil {
		t.Fatal(err)
	}
	config := store.Config{Influx: store.Influx{URL: w.influx, Org: "home", Bucket: w.bucket, Token: secrets.Get("influx-token")}, Database: secrets.Get("database-url")}
	if w.st, err = store.Open(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return w
}

// fillSeries stores the readings and roll-ups of a year, without what has expired.
func (w *world) fillSeries(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	slots := make(chan struct{}, 4)
	for _, s := range allSeries() {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := w.store(context.WithoutCancel(t.Context()), s); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func (w *world) store(ctx context.Context, s series) error {
	times, kept := s.times(), s.m.Keep.Kept()
	var rs []reading.Reading
	for _, at := range times {
		if kept.Raw == 0 || at.After(noon.Add(-kept.Raw)) {
			rs = append(rs, s.reading(at))
		}
	}
	if err := w.st.Write(ctx, rs); err != nil {
		return fmt.Errorf("%s: %w", s.m.Name, err)
	}
	if !kept.Rolled {
		return nil
	}
	rolled := slices.DeleteFunc(slices.Clone(times), func(at time.Time) bool { return at.After(noon.Add(-time.Hour).Truncate(time.Hour)) })
	for resolution, since := range map[time.Duration]time.Time{store.FiveMinutes: today.AddDate(0, 0, -60), store.Hour: {}} {
		of := slices.DeleteFunc(slices.Clone(rolled), func(at time.Time) bool { return at.Before(since) })
		if err := w.st.WriteRollups(ctx, resolution, s.m.Name, s.rollups(resolution, of)); err != nil {
			return fmt.Errorf("roll-ups of %s: %w", s.m.Name, err)
		}
	}
	since, upto := rolled[0].Truncate(time.Hour), noon.Add(-time.Hour).Truncate(time.Hour)
	if err := w.st.BeginRollups(ctx, s.m.Name, since, noon); err != nil {
		return err
	}
	_, err := w.st.AdvanceRollups(ctx, s.m.Name, since, upto)
	return err
}
