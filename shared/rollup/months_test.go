package rollup

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// killed is a context that ends after some uses of it, as a process that is killed between
// two calls of the store does.
type killed struct {
	context.Context
	left   atomic.Int64
	cancel context.CancelFunc
}

func killAfter(parent context.Context, uses int64) *killed {
	ctx, cancel := context.WithCancel(parent)
	k := &killed{Context: ctx, cancel: cancel}
	k.left.Store(uses)
	return k
}

func (k *killed) Value(key any) any {
	if k.left.Add(-1) < 0 {
		k.cancel()
	}
	return k.Context.Value(key)
}

// months is a house whose batches, late readings and ticks are killed now and then.
type months struct {
	*house
	random  *rand.Rand
	now     time.Time
	begin   time.Time
	serial  int
	devices []string
	pending [][]reading.Reading // batches that were killed
}

// TestNothingIsLostOrDoubledInMonths runs one seed on SQLite. With MONTHS_SEEDS=n it runs n
// on both stores, some minutes each.
func TestNothingIsLostOrDoubledInMonths(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("MONTHS_SEEDS"))
	if err != nil {
		h := &house{T: t, place: place{file: filepath.Join(t.TempDir(), "hearth.db")}}
		h.reopen()
		runMonths(h, 0, 80)
		return
	}
	for seed := range n {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) { runMonths(h, uint64(seed), 80) })
		})
	}
}

// runMonths takes some steps, and then lets all that is due be done.
func runMonths(h *house, seed uint64, steps int) {
	begin := noon.AddDate(-2, 0, 0)
	m := &months{house: h, random: rand.New(rand.NewPCG(seed, 1)), now: begin, begin: begin, devices: []string{"office", "attic", "pond, east=1"}}
	for range steps {
		pause := m.pause()
		if pause > day/2 {
			m.retry() // what is stored in part is sent again within a day
		}
		m.now = m.now.Add(pause)
		for range m.random.IntN(4) {
			m.batch()
		}
		for range m.random.IntN(3) {
			m.someTick()
		}
		if m.random.IntN(3) == 0 {
			m.retry()
			m.compare("on the way", false)
		}
		if m.random.IntN(10) == 0 {
			m.Store.Close()
			m.reopen()
		}
	}
	m.retry()
	m.now = m.now.Add(3 * time.Hour)
	m.tick(m.now)
	m.compare("at the end", true)
	m.now = m.now.Add(30 * day)
	m.tick(m.now)
	m.compare("a month later", true)
	if d := m.tick(m.now); d.hours != 0 || d.Deleted != 0 {
		m.Errorf("a tick more: %+v", d)
	}
}

// pause is mostly some hours, and now and then some weeks.
func (m *months) pause() time.Duration {
	switch m.random.IntN(12) {
	case 0:
		return time.Duration(m.random.Int64N(int64(30 * day)))
	case 1, 2, 3:
		return time.Duration(m.random.Int64N(int64(3 * day)))
	default:
		return time.Duration(m.random.Int64N(int64(6 * time.Hour)))
	}
}

// age is how old a reading is: often near a limit.
func (m *months) age(name string) time.Duration {
	raw := catalogue.KeptOf(name).Raw
	near := []time.Duration{0, 0, 0, 0, time.Hour, 15 * time.Minute, day, raw - day, raw, raw + day, catalogue.KeptOf(name).Fine, m.now.Sub(m.begin), m.now.Sub(m.state(name).Raw.Expired), m.now.Sub(m.state(name).Since)}
	age := min(near[m.random.IntN(len(near))], 400*day)
	if m.random.IntN(3) == 0 {
		age += time.Duration(m.random.Int64N(int64(time.Hour))) - time.Hour/2
	} else {
		age += time.Duration(m.random.Int64N(int64(2*day))) - day/4
	}
	return age
}

// batch stores some readings; it is killed now and then, and stored again later.
func (m *months) batch() {
	var rs []reading.Reading
	for range 1 + m.random.IntN(12) {
		name := []string{daysKept, daysKept, monthsKept, everKept}[m.random.IntN(4)]
		m.serial++
		at := m.now.Add(-m.age(name)).Truncate(time.Second).Add(time.Duration(m.serial) * time.Microsecond)
		r := reading.Reading{Name: name, Tags: map[string]string{"device": m.devices[m.random.IntN(len(m.devices))]}, Time: at,
			Fields: map[string]float64{"a": float64(m.random.IntN(1000)) / 8}}
		if m.random.IntN(2) == 0 {
			r.Fields["b c=d,\"e"] = -float64(m.random.IntN(1000))
		}
		if m.random.IntN(6) == 0 {
			r.Fields[catalogue.Quality] = quality.Suspect.Code()
			r.Text = map[string]string{catalogue.Suspect: "a,other"}
		}
		rs = append(rs, r)
	}
	m.written = append(m.written, rs...)
	if m.random.IntN(3) == 0 {
		m.pending = append(m.pending, rs)
		ctx := killAfter(m.Context(), m.random.Int64N(40))
		if m.store(ctx, rs) == nil && m.random.IntN(2) == 0 {
			m.pending = m.pending[:len(m.pending)-1]
		}
		if m.random.IntN(2) == 0 {
			m.retry()
		}
		return
	}
	if err := m.store(m.Context(), rs); err != nil {
		m.Fatal(err)
	}
}

func (m *months) store(ctx context.Context, rs []reading.Reading) (err error) {
	b := store.Batch{Readings: slices.Clone(rs), Now: m.now}
	if m.random.IntN(4) == 0 {
		if b, err = m.WriteEarly(ctx, b); err != nil {
			return err
		}
		if m.random.IntN(2) == 0 {
			m.someTick()
		}
	}
	return m.Commit(ctx, "test", b, nil)
}

func (m *months) retry() {
	for _, rs := range m.pending {
		if err := m.Commit(m.Context(), "test", store.Batch{Readings: rs, Now: m.now}, nil); err != nil {
			m.Fatal(err)
		}
	}
	m.pending = nil
}

// someTick runs a tick that may be killed.
func (m *months) someTick() {
	ctx, cancel := context.Context(m.Context()), func() {}
	switch m.random.IntN(4) {
	case 0:
		ctx = killAfter(ctx, m.random.Int64N(400))
	case 1:
		ctx, cancel = context.WithTimeout(ctx, time.Duration(m.random.Int64N(int64(100*time.Millisecond))))
	}
	defer cancel()
	if m.random.IntN(3) == 0 {
		m.roller = Roller{}
	}
	if _, err := m.roller.Tick(ctx, m.Store, m.now); err != nil && ctx.Err() == nil {
		m.Fatal(err)
	}
}

// compare compares windows of several steps with what was written. settled: no reading waits
// for a tick.
func (m *months) compare(when string, settled bool) {
	m.Helper()
	from, to := m.begin.Add(-3000*day), m.now.Add(2*day)
	for _, name := range []string{daysKept, monthsKept} {
		s := m.state(name)
		for _, step := range []time.Duration{5 * time.Minute, time.Hour, 3 * time.Hour, day, 63_072 * time.Second, 7 * time.Minute} {
			since := from
			if step < time.Hour {
				since = s.Fine.Expired
			}
			if !settled || step%(5*time.Minute) != 0 { // late values wait for a tick, and are only in roll-ups
				since = later(since, m.now.Add(day-catalogue.KeptOf(name).Raw))
			}
			if step%(5*time.Minute) != 0 && step < 2*time.Hour {
				since = later(since, s.Raw.Expired)
			}
			q := store.Query{Name: name, From: since, To: to, Step: step, Suspects: true}
			got, err := m.Windows(m.Context(), q)
			if err != nil {
				m.Fatal(err)
			}
			m.equal(fmt.Sprintf("%s: %s by %s", when, name, step), q, s, got, settled)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// equal compares windows with what was written.
func (m *months) equal(what string, q store.Query, s store.Rolled, got []store.WindowSeries, settled bool) {
	m.Helper()
	want := map[string]store.Rollup{}
	for _, r := range m.written {
		at := r.Time
		if r.Name != q.Name || at.Before(q.From) || !at.Before(q.To) {
			continue
		}
		if at.Before(s.Fine.Expired) {
			at = at.Truncate(time.Hour)
		} else if at.Before(s.Raw.Expired) {
			at = at.Truncate(store.FiveMinutes)
		}
		start, _ := q.Window(at)
		for field, v := range r.Fields {
			w := store.Rollup{Sum: v, Min: v, Max: v, Count: 1}
			if r.Text != nil && field == "a" {
				w.Suspect = 1
			}
			add(want, key(r.Tags, field, start), w)
		}
	}
	wrong := 0
	seen := 0
	for _, ws := range got {
		for _, w := range ws.Windows {
			k := key(ws.Tags, ws.Field, w.Start)
			e, ok := want[k]
			seen++
			if !ok || e.Count != w.Count || e.Suspect != w.Suspect || math.Abs(e.Sum-w.Mean*float64(w.Count)) > 1e-6 || e.Min != w.Min || e.Max != w.Max {
				if wrong++; wrong < 4 {
					m.Errorf("%s: %s: %+v, want %+v", what, k, w, e)
				}
			}
			delete(want, k)
		}
	}
	for k, e := range want {
		if wrong++; wrong < 4 {
			m.Errorf("%s: %s: none, want %+v", what, k, e)
		}
	}
	if wrong > 0 {
		m.Fatalf("%s: %d windows are wrong of %d; now %s, state %+v", what, wrong, seen, m.now, s)
	}
}
