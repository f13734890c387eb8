package rollup

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver"
)

// noon is the time of most ticks in these tests.
var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

const (
	monthsKept = "air"         // a measurement whose readings are kept for a year
	daysKept   = "host"        // 14 days
	everKept   = "stock_quote" // for ever
)

// place is where a store is: a file, or the addresses of two servers.
type place struct {
	file   string
	influx store.Influx
	dir    string // of the secrets
}

func (p place) open(ctx context.Context) (*store.Store, error) {
	if p.file != "" {
		return sqlite.Open(ctx, p.file)
	}
	secrets := secret.NewFolder(p.dir)
	p.influx.Token = secrets.Get("influx-token")
	return store.Open(ctx, store.Config{Influx: p.influx, Database: secrets.Get("database-url")})
}

// servers returns the place of a store in InfluxDB and PostgreSQL.
func servers(t *testing.T, url, bucket, database string) place {
	t.Helper()
	p := place{influx: store.Influx{URL: url, Org: "home", Bucket: bucket}, dir: t.TempDir()}
	for name, v := range map[string]string{"influx-token": "any:any-token", "database-url": database} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Migrate(t.Context(), secret.NewFolder(p.dir).Get("database-url")); err != nil {
		t.Fatal(err)
	}
	return p
}

// each runs a test on both stores.
func each(t *testing.T, test func(*testing.T, *house)) {
	t.Helper()
	for name, at := range map[string]func(*testing.T) place{
		"sqlite": func(t *testing.T) place { return place{file: filepath.Join(t.TempDir(), "hearth.db")} },
		"servers": func(t *testing.T) place {
			url, bucket := testserver.Influx(t)
			return servers(t, url, bucket, testserver.Postgres(t))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &house{T: t, place: at(t)}
			h.reopen()
			test(t, h)
		})
	}
}

// house is a store, and the readings that were written to it.
type house struct {
	*testing.T
	place place
	*store.Store
	written []reading.Reading
	roller  Roller
}

// reopen opens the store as a new process does.
func (h *house) reopen() {
	h.Helper()
	st, err := h.place.open(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { st.Close() })
	h.Store, h.roller = st, Roller{}
}

// write stores readings as versions before roll-ups did.
func (h *house) write(rs []reading.Reading) {
	h.Helper()
	for chunk := range slices.Chunk(rs, 5000) {
		if err := h.Store.Write(h.Context(), chunk); err != nil {
			h.Fatal(err)
		}
	}
	h.written = append(h.written, rs...)
}

// tick runs one tick without a limit of time, which must succeed.
func (h *house) tick(now time.Time) Done {
	h.Helper()
	done, err := h.roller.Tick(h.Context(), h.Store, now)
	if err != nil {
		h.Fatal(err)
	}
	return done
}

// ticks runs ticks until nothing is left to roll up. Each has a little time, and more if
// that was too short for anything.
func (h *house) ticks(now time.Time) (all []Done) {
	h.Helper()
	for most := 200 * time.Millisecond; ; {
		ctx, cancel := context.WithTimeout(h.Context(), most)
		done, err := h.roller.Tick(ctx, h.Store, now)
		cancel()
		if err != nil {
			h.Fatal(err)
		}
		if all = append(all, done); done.of > 0 && done.done == done.of {
			return all
		}
		if done.hours == 0 {
			if most *= 2; most > time.Hour {
				h.Fatalf("%+v: nothing goes on", done)
			}
		}
	}
}

// state returns the Rolled of a measurement.
func (h *house) state(name string) store.Rolled {
	h.Helper()
	all, err := h.Rolled(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return all[name]
}

// rows returns the stored roll-ups of a span. The rows that belong to one window, its own
// and those of late values, are merged.
func (h *house) rows(resolution time.Duration, name string, from, to time.Time) map[string]store.Rollup {
	h.Helper()
	out := map[string]store.Rollup{}
	err := h.ReadRollups(h.Context(), resolution, store.Query{Name: name, From: from, To: to}, func(tags map[string]string, field string, rows []store.Rollup) error {
		for _, r := range rows {
			add(out, key(tags, field, r.Start.Truncate(resolution)), r)
		}
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
	return out
}

func key(tags map[string]string, field string, start time.Time) string {
	return reading.Reading{Tags: tags}.Series() + " " + field + " " + start.UTC().Format("2006-01-02T15:04")
}

// add merges a later row into the window.
func add(out map[string]store.Rollup, k string, r store.Rollup) {
	w, ok := out[k]
	r.Start = time.Time{}
	if ok {
		r = store.Rollup{Sum: w.Sum + r.Sum, Min: min(w.Min, r.Min), Max: max(w.Max, r.Max), Last: r.Last, Count: w.Count + r.Count, Suspect: w.Suspect + r.Suspect}
	}
	out[k] = r
}

// want computes the roll-ups of a span from all that was written.
func (h *house) want(resolution time.Duration, name string, from, to time.Time) map[string]store.Rollup {
	points := map[string]reading.Reading{} // a later value of the same time wins
	for _, r := range h.written {
		if r.Name != name || r.Time.Before(from) || !r.Time.Before(to) {
			continue
		}
		k := fmt.Sprint(r.Series(), r.Time.UnixNano())
		if old, ok := points[k]; ok {
			fields, text := maps.Clone(old.Fields), maps.Clone(old.Text)
			maps.Copy(fields, r.Fields)
			if text == nil {
				text = map[string]string{}
			}
			maps.Copy(text, r.Text)
			r.Fields, r.Text = fields, text
		}
		points[k] = r
	}
	all := slices.SortedFunc(maps.Values(points), func(a, b reading.Reading) int { return a.Time.Compare(b.Time) })
	out := map[string]store.Rollup{}
	for _, r := range all {
		for field, v := range r.Fields {
			w := store.Rollup{Sum: v, Min: v, Max: v, Last: v, Count: 1}
			if r.Fields[catalogue.Quality] >= quality.Suspect.Code() && (r.Text[catalogue.Suspect] == "*" || slices.Contains(strings.Split(r.Text[catalogue.Suspect], ","), field)) {
				w.Suspect = 1
			}
			add(out, key(r.Tags, field, r.Time.Truncate(resolution)), w)
		}
	}
	return out
}

// same compares the stored roll-ups of a span with those of all that was written.
func (h *house) same(resolution time.Duration, name string, from, to time.Time) {
	h.Helper()
	got, want := h.rows(resolution, name, from, to), h.want(resolution, name, from, to)
	wrong := 0
	for _, k := range slices.Sorted(maps.Keys(want)) {
		g, w := got[k], want[k]
		if math.Abs(g.Sum-w.Sum) > 1e-6*max(1, math.Abs(w.Sum)) {
			wrong++
		} else if g.Sum = w.Sum; g != w {
			wrong++
		} else {
			continue
		}
		if wrong < 4 {
			h.Errorf("%s %s %s: %+v, want %+v", name, resolution, k, g, w)
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok {
			if wrong++; wrong < 4 {
				h.Errorf("%s %s %s: %+v, want none", name, resolution, k, g)
			}
		}
	}
	if wrong > 0 {
		h.Fatalf("%s: %d roll-ups of %s are wrong, of %d", name, wrong, resolution, len(want))
	}
	if len(want) == 0 {
		h.Fatalf("%s: no roll-ups of %s to compare", name, resolution)
	}
}

// series returns readings of one device, from <= time < to.
func series(name, device string, from, to time.Time, every time.Duration) (rs []reading.Reading) {
	for at := from; at.Before(to); at = at.Add(every) {
		rs = append(rs, one(name, device, at))
	}
	return rs
}

// one returns a reading whose values follow from its time.
func one(name, device string, at time.Time) reading.Reading {
	n := float64(at.Unix()/60%1009) + float64(len(device))
	r := reading.Reading{Name: name, Tags: map[string]string{"device": device}, Time: at, Fields: map[string]float64{"a": n / 8, "b": -n}}
	if int(n)%11 == 0 {
		r.Fields[catalogue.Quality] = quality.Suspect.Code()
		r.Text = map[string]string{catalogue.Suspect: "a,other"}
	}
	return r
}
