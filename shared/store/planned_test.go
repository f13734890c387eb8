package store_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// house is a measurement of some devices, with what was ever written of it.
type house struct {
	*testing.T
	s    *store.Store
	rand *rand.Rand
	name string
	from time.Time // hour of the first reading
	span time.Duration
	all  map[string]reading.Reading // by series and time
}

// newHouse writes some days of readings: of three devices, with gaps and suspect values.
func newHouse(t *testing.T, s *store.Store, seed uint64, from time.Time, span time.Duration) *house {
	h := &house{t, s, rand.New(rand.NewPCG(seed, 1)), measurement(t), from.Truncate(time.Hour), span, map[string]reading.Reading{}}
	var rs []reading.Reading
	for n, device := range []string{"a", "b", "c"} {
		for at := h.from.Add(time.Duration(n) * time.Second); at.Before(h.from.Add(span)); {
			rs = append(rs, h.reading(device, at))
			at = at.Add(time.Duration(1+h.rand.IntN(900*(n+1))) * time.Second)
			if h.rand.IntN(100) == 0 { // a gap
				at = at.Add(time.Duration(h.rand.IntN(30)) * time.Hour)
			}
		}
	}
	h.write(rs)
	return h
}

// reading returns a reading with random values.
func (h *house) reading(device string, at time.Time) reading.Reading {
	r := reading.Reading{Name: h.name, Tags: map[string]string{"device": device}, Time: at,
		Fields: map[string]float64{"v": float64(h.rand.IntN(1000)), "w": math.Round(h.rand.NormFloat64()*1e3) / 8}}
	if h.rand.IntN(3) == 0 {
		delete(r.Fields, "w")
	}
	switch h.rand.IntN(40) {
	case 0:
		r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "*"}
	case 1:
		r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "w"}
	case 2:
		r.Fields["quality_code"] = 1
	}
	return r
}

func (h *house) write(rs []reading.Reading) {
	h.Helper()
	if err := h.s.Commit(h.Context(), "write", store.Batch{Readings: rs}, nil); err != nil {
		h.Fatal(err)
	}
	if r, _, ok, err := h.s.RolledOf(h.Context(), h.name, h.from, h.from); err != nil {
		h.Fatal(err)
	} else if ok {
		var hours []time.Time
		for _, r := range rs {
			hours = append(hours, r.Time.Truncate(time.Hour))
		}
		slices.SortFunc(hours, time.Time.Compare)
		hours = slices.DeleteFunc(slices.CompactFunc(hours, time.Time.Equal), func(t time.Time) bool { return !t.Before(r.Upto) })
		if err := h.s.MakeDirty(h.Context(), h.name, hours); err != nil {
			h.Fatal(err)
		}
	}
	for _, r := range rs {
		key := fmt.Sprint(r.Series(), r.Time.UnixNano())
		if old, ok := h.all[key]; ok { // the later value of a field wins
			fields, text := maps.Clone(old.Fields), maps.Clone(old.Text)
			maps.Copy(fields, r.Fields)
			if text != nil {
				maps.Copy(text, r.Text)
				r.Text = text
			}
			r.Fields = fields
		}
		h.all[key] = r
	}
}

// rollUp makes the roll-ups of the dirty hours before a time, and of those that become so.
func (h *house) rollUp(upto time.Time) {
	h.Helper()
	ctx := h.Context()
	if err := h.s.BeginRollups(ctx, h.name, h.from, h.from); err != nil {
		h.Fatal(err)
	}
	r, _, _, err := h.s.RolledOf(ctx, h.name, h.from, h.from)
	if err != nil {
		h.Fatal(err)
	}
	if r.Upto.Before(upto) {
		if ok, err := h.s.AdvanceRollups(ctx, h.name, r.Upto, upto); err != nil || !ok {
			h.Fatal(ok, err)
		}
	}
	hours, err := h.s.ClaimDirty(ctx, h.name, "me", h.from, upto)
	if err != nil {
		h.Fatal(err)
	}
	for len(hours) > 0 {
		n := 1
		for n < len(hours) && hours[n].Sub(hours[0]) == time.Duration(n)*time.Hour {
			n++
		}
		for _, step := range []time.Duration{store.FiveMinutes, store.Hour} {
			ws, err := h.s.RawWindows(ctx, store.Query{Name: h.name, From: hours[0], To: hours[n-1].Add(time.Hour), Step: step, Suspects: true})
			if err == nil {
				err = h.s.WriteRollups(ctx, step, h.name, rollupsOf(ws))
			}
			if err != nil {
				h.Fatal(err)
			}
		}
		if err := h.s.RolledUp(ctx, h.name, "me", hours[:n]); err != nil {
			h.Fatal(err)
		}
		hours = hours[n:]
	}
}

func rollupsOf(all []store.WindowSeries) (out []store.RollupSeries) {
	for _, s := range all {
		one := store.RollupSeries{Tags: s.Tags, Field: s.Field}
		for _, w := range s.Windows {
			one.Rows = append(one.Rows, store.Rollup{Start: w.Start, Sum: w.Mean * float64(w.Count), Min: w.Min, Max: w.Max, Last: w.Last, Count: w.Count, Suspect: w.Suspect})
		}
		out = append(out, one)
	}
	return out
}

// late writes some readings of hours that are rolled up: new ones and changed ones.
func (h *house) late(n int, upto time.Time) {
	h.Helper()
	keys := slices.Sorted(maps.Keys(h.all))
	var rs []reading.Reading
	for range n {
		at := h.from.Add(time.Duration(h.rand.Int64N(int64(upto.Sub(h.from)))))
		rs = append(rs, h.reading([]string{"a", "b", "d"}[h.rand.IntN(3)], at))
		old := h.all[keys[h.rand.IntN(len(keys))]]
		rs = append(rs, h.reading(old.Tags["device"], old.Time))
	}
	h.write(rs)
}

// query returns a random query of the house.
func (h *house) query(zones []*time.Location) store.Query {
	steps := []time.Duration{5 * time.Second, 7 * time.Minute, 15 * time.Minute, 25 * time.Minute, time.Hour, 90 * time.Minute, 2 * time.Hour, 125 * time.Minute,
		3*time.Hour + 7*time.Second, 7 * time.Hour, 27000 * time.Second, 63072 * time.Second, 24 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
	at := func() time.Time {
		t := h.from.Add(time.Duration(h.rand.Int64N(int64(h.span*5/4))) - h.span/8)
		return t.Truncate([]time.Duration{1, time.Second, store.FiveMinutes, time.Hour}[h.rand.IntN(4)])
	}
	q := store.Query{Name: h.name, From: at(), To: at(), Step: steps[h.rand.IntN(len(steps))], Zone: zones[h.rand.IntN(len(zones))], Suspects: h.rand.IntN(3) == 0}
	if q.To.Before(q.From) {
		q.From, q.To = q.To, q.From
	}
	if h.rand.IntN(4) == 0 {
		q.Tags = map[string]string{"device": "b"}
	}
	if h.rand.IntN(3) == 0 {
		q.Fields = []string{"w", "none"}
	}
	return q
}

// check compares a query with what was ever written.
func (h *house) check(q store.Query) {
	h.Helper()
	got, err := h.s.Windows(h.Context(), q)
	want := windows(slices.Collect(maps.Values(h.all)), q)
	if diff := gocmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 1e-9), cmpopts.EquateEmpty()); err != nil || diff != "" {
		h.Fatalf("%+v: %v\n%.3000s", q, err, diff)
	}
}

func locations(t *testing.T, names ...string) (out []*time.Location) {
	t.Helper()
	for _, name := range names {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, zone)
	}
	return out
}

// Whatever is rolled up, and whatever came late, the windows are those of the readings.
func TestWindowsEqualThoseFromReadings(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		zones := locations(t, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
		for seed, begin := range []string{"2026-03-26T00:00:00Z", "2026-10-02T03:00:00Z", "2026-10-22T15:00:00Z"} { // clocks change in Berlin, on Lord Howe, in Berlin and New York
			from, err := time.Parse(time.RFC3339, begin)
			if err != nil {
				t.Fatal(err)
			}
			h := newHouse(t, s, uint64(seed), from, 12*24*time.Hour)
			upto := h.from.Add(time.Duration(100+h.rand.IntN(150)) * time.Hour)
			for _, dirty := range []int{0, 3, 40} { // the last: more spans than are read one by one
				h.rollUp(upto)
				h.late(dirty, upto)
				for n := range 8 {
					h.s = s.With(&series{Series: s.Series, patched: n%2 == 0})
					h.check(h.query(zones))
				}
				h.s = s
				upto = upto.Add(3 * time.Hour)
			}
		}
	})
}
