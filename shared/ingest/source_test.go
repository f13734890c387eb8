package ingest

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

func weather(place string, t time.Time, fields map[string]float64) reading.Reading {
	return reading.Reading{Name: "weather", Tags: map[string]string{"place": place}, Fields: fields, Time: t}
}

func warm(celsius float64) map[string]float64 {
	return map[string]float64{"temperature_celsius": celsius}
}

// run begins a run of the source weather.
func (h *house) run() store.Run {
	h.t.Helper()
	r, err := h.st.Begin(h.t.Context(), store.Run{Function: "weather", Trigger: "cron", Started: noon}, time.Hour, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// outcome is what became of what a run found.
type outcome struct {
	stored, unchanged int
	refused           string
}

// find checks and stores what a run found, which must work.
func (h *house) find(run store.Run, found ...Found) outcome {
	h.t.Helper()
	var o outcome
	var all []Checked
	var why []string
	for _, f := range found {
		c, refused, err := f.Check(noon)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, c)
		for _, r := range refused {
			why = append(why, r.Error())
		}
	}
	o.refused = strings.Join(why, "; ")
	var err error
	if o.stored, o.unchanged, err = Source(h.t.Context(), h.st, run, all, nil); err != nil {
		h.t.Fatal(err)
	}
	return o
}

// checked is what may be stored of something that is right.
func checked(t *testing.T, f Found) []Checked {
	t.Helper()
	c, refused, err := f.Check(noon)
	if err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	return []Checked{c}
}

// TestWhatASourceMustNotBring: the upstream's mistakes are left out and the rest
// stays; a name that is not in the catalogue is the source's, and nothing stays.
func TestWhatASourceMustNotBring(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*reading.Reading)
		refused string
		stored  int
	}{
		"an unknown measurement": {func(r *reading.Reading) { r.Name = "wether" }, "wether is not in the catalogue", 0},
		"an unknown label":       {func(r *reading.Reading) { r.Tags["request"] = "1" }, `weather: the catalogue allows no label "request"`, 0},
		"an unknown field":       {func(r *reading.Reading) { r.Fields["colour"] = 1 }, `weather: the catalogue has no field "colour"`, 0},
		"an unknown text":        {func(r *reading.Reading) { r.Text = map[string]string{"mood": ""} }, `weather: the catalogue has no text "mood"`, 0},
		"no number":              {func(r *reading.Reading) { r.Fields["humidity_percent"] = math.NaN() }, "weather: humidity_percent is NaN, not a number", 1},
		"no time":                {func(r *reading.Reading) { r.Time = time.Time{} }, "weather: reading without a time", 1},
		"a time in 1999":         {func(r *reading.Reading) { r.Time = time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC) }, "weather: the time 1999-12-31T23:59:59Z is outside 2000-01-01 to 2026-06-01 (now 2026-06-01)", 1},
		"a time ahead of ours":   {func(r *reading.Reading) { r.Time = noon.Add(5*time.Minute + 1) }, "weather: the time 2026-06-01T12:05:00.000000001Z is outside 2000-01-01T00:00:00Z to 2026-06-01T12:05:00Z (now 2026-06-01T12:00:00Z)", 1},
		"a label of 64 KiB":      {func(r *reading.Reading) { r.Tags["place"] = strings.Repeat("x", 64<<10) }, "no store can keep it", 1},
		"too cold":               {func(r *reading.Reading) { r.Fields["temperature_celsius"] = -90.5 }, "weather: temperature_celsius is -90.5, outside of -90 to 60", 2},
		"too wet":                {func(r *reading.Reading) { r.Fields["humidity_percent"] = 101 }, "weather: humidity_percent is 101, outside of 0 to 100", 2},
		"nothing else": {func(r *reading.Reading) {
			r.Fields = map[string]float64{"temperature_celsius": 61, "humidity_percent": -1}
		}, "weather: humidity_percent is -1, outside of 0 to 100; weather: temperature_celsius is 61, outside of -90 to 60", 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			bad := weather("home", noon, map[string]float64{"temperature_celsius": 20, "humidity_percent": 50})
			tc.change(&bad)
			before := maps.Clone(bad.Fields)
			found := Found{Readings: []reading.Reading{weather("home", at(-1), warm(19)), bad}}
			if tc.stored == 0 {
				if _, _, err := found.Check(noon); err == nil || err.Error() != tc.refused {
					t.Errorf("%v, want %q", err, tc.refused)
				}
				return
			}
			if o := h.find(h.run(), found); o.stored != tc.stored || !strings.HasPrefix(o.refused, tc.refused) {
				t.Errorf("%+v, want %q", o, tc.refused)
			}
			if got := h.lines("weather"); len(got) != tc.stored || len(got) == 2 && strings.Count(got[1], "=") != 2 {
				t.Errorf("stored %q", got)
			}
			if fmt.Sprint(bad.Fields) != fmt.Sprint(before) {
				t.Errorf("the caller's reading became %v, it was %v", bad.Fields, before)
			}
		})
	}
}

// TestWhereNothingIsLeftTheSourceFailed: its upstream may have changed its format.
// One that said nothing has not.
func TestWhereNothingIsLeftTheSourceFailed(t *testing.T) {
	hot := weather("home", noon, warm(99))
	for name, tc := range map[string]struct {
		found Found
		err   string
	}{
		"a value out of range":     {Found{Readings: []reading.Reading{hot, hot}}, "weather: temperature_celsius is 99, outside of -90 to 60"},
		"an item without an id":    {Found{List: store.List{Complete: true, Items: []item.Item{{Title: "a"}}}}, `the item "a" has no id`},
		"with an item":             {Found{Readings: []reading.Reading{hot}, List: store.List{Items: []item.Item{{ID: "a"}}}}, ""},
		"with one of each":         {Found{Readings: []reading.Reading{weather("home", noon, warm(9)), hot}, List: store.List{Items: []item.Item{{ID: "a"}}}}, ""},
		"with a reading":           {Found{Readings: []reading.Reading{weather("home", noon, warm(9))}, List: store.List{Items: []item.Item{{}}}}, ""},
		"nothing":                  {Found{}, ""},
		"a whole list of no items": {Found{List: store.List{Complete: true}}, ""},
	} {
		if _, _, err := tc.found.Check(noon); tc.err == "" && err != nil || tc.err != "" && (err == nil || err.Error() != tc.err) {
			t.Errorf("%s: %v, want %q", name, err, tc.err)
		}
	}
}

func TestTheEndsOfARangeAreInIt(t *testing.T) {
	h := newHouse(t)
	rs := []reading.Reading{weather("a", noon.Add(5*time.Minute), warm(-90)), weather("b", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), warm(60))}
	rs[0].Text = map[string]string{"summary": "cold"}
	rs[1].Tags["sample"] = "true"
	if a := h.find(h.run(), Found{Readings: rs}); a.stored != 2 || a.refused != "" {
		t.Errorf("%+v", a)
	}
}

// TestATextIsAReadingToo: where every number is out of range, the rest stays.
func TestATextIsAReadingToo(t *testing.T) {
	h := newHouse(t)
	r := weather("home", noon, warm(99))
	r.Text = map[string]string{"summary": "hot"}
	if a := h.find(h.run(), Found{Readings: []reading.Reading{r}}); a.stored != 1 || a.refused != "weather: temperature_celsius is 99, outside of -90 to 60" {
		t.Errorf("%+v", a)
	}
	h.want("readings", h.lines("weather"), `weather,place=home summary="hot" 1780315200000000000`)
}

func TestARerunStoresWhatDiffersOnly(t *testing.T) {
	h := newHouse(t)
	rs := []reading.Reading{weather("home", noon, warm(20)), weather("home", at(1), warm(21)), weather("home", at(1), warm(21))}
	run := h.run()
	for i, want := range []outcome{{stored: 2, unchanged: 1}, {unchanged: 3}} {
		if a := h.find(run, Found{Readings: rs}); a.stored != want.stored || a.unchanged != want.unchanged {
			t.Errorf("run %d: %+v, want %+v", i+1, a, want)
		}
	}
	rs[0].Fields = warm(20.5)
	if a := h.find(run, Found{Readings: rs[:1]}, Found{Readings: rs[1:2]}); a.stored != 1 || a.unchanged != 1 {
		t.Errorf("one that was corrected: %+v", a)
	}
}

func TestItemsAreCheckedAndALostOneLeavesTheListOpen(t *testing.T) {
	h := newHouse(t)
	run := h.run()
	list := func(complete bool, ids ...string) Found {
		f := Found{List: store.List{Source: "weather", Target: "home", Complete: complete}}
		for _, id := range ids {
			f.List.Items = append(f.List.Items, item.Item{ID: id, Title: "item " + id})
		}
		return f
	}
	if a := h.find(run, list(true, "a", "b")); a.stored != 2 {
		t.Errorf("%+v", a)
	}
	second := list(true, "a", "", strings.Repeat("x", 1000), strings.Repeat("y", 1001))
	second.Readings = []reading.Reading{weather("home", noon, warm(20)), weather("home", at(1), warm(99))}
	a := h.find(run, list(false), list(false, "c"), second)
	if got, want := a.refused, `weather: temperature_celsius is 99, outside of -90 to 60; the item "item " has no id; the item "item `+strings.Repeat("y", 95)+`" has an id of 1001 bytes`; got != want {
		t.Errorf("rejected %s, want %s", got, want)
	}
	if a.stored != 3 || a.unchanged != 1 { // c, x and a reading; a
		t.Errorf("%+v", a)
	}
	items, err := h.st.OpenItems(t.Context(), "weather", 10)
	if err != nil || len(items) != 4 {
		t.Errorf("open are %v, %v: b must be, the list was not whole", items, err)
	}
	if a := h.find(run, list(true)); a.stored != 4 {
		t.Errorf("an empty list that is whole closes all: %+v", a)
	}
}

// TestALostLeaseStoresNoReadings: a run that was frozen past its lease overwrites
// nothing, though it brings no items, with readings in the same file and without.
func TestALostLeaseStoresNoReadings(t *testing.T) {
	for name, wrap := range map[string]func(store.Series) store.Series{
		"one file":   func(s store.Series) store.Series { return s },
		"of its own": func(s store.Series) store.Series { return &watched{Series: s, before: func() {}} },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.st.Series = wrap(h.st.Series)
			run := h.run()
			h.find(run, Found{Readings: []reading.Reading{weather("home", noon, warm(20))}})
			frozen := run
			frozen.Fence--
			_, _, err := Source(t.Context(), h.st, frozen, checked(t, Found{Readings: []reading.Reading{weather("home", noon, warm(10))}}), nil)
			if !errors.Is(err, store.ErrFenced) {
				t.Error(err)
			}
			h.want("readings", h.lines("weather"), "weather,place=home temperature_celsius=20 1780315200000000000")
		})
	}
}

// TestItemsThenReadings: the order of writes, and that a run whose lease is lost
// stores nothing.
func TestItemsThenReadings(t *testing.T) {
	h := newHouse(t)
	run := h.run()
	seen := -1
	w := &watched{Series: h.st.Series, before: func() {
		items, err := h.st.OpenItems(t.Context(), "weather", 10)
		if seen = len(items); err != nil {
			t.Error(err)
		}
	}}
	h.st.Series = w
	found := Found{Readings: []reading.Reading{weather("home", noon, warm(20))}, List: store.List{Source: "weather", Target: "home", Items: []item.Item{{ID: "a", Title: "a"}}}}
	lost := run
	lost.Fence--
	if _, _, err := Source(t.Context(), h.st, lost, checked(t, found), nil); !errors.Is(err, store.ErrFenced) || w.calls != 0 {
		t.Errorf("%v, %d writes", err, w.calls)
	}
	if a := h.find(run, found); a.stored != 2 || seen != 1 {
		t.Errorf("%+v; %d items while the readings were written", a, seen)
	}
	w.fails, w.Series = true, h.st.Series.(*watched).Series
	found.Readings[0].Time = at(1)
	if _, _, err := Source(t.Context(), h.st, run, checked(t, found), nil); !errors.Is(err, errAway) {
		t.Error(err)
	}
	if w.fails = false; true {
		if a := h.find(run, found); a.stored != 0 || a.unchanged != 2 {
			t.Errorf("after a failure that was none: %+v", a)
		}
	}
}

func TestAnItemsMessageIsQueuedWithIt(t *testing.T) {
	h := newHouse(t)
	run := h.run()
	found := Found{List: store.List{Source: "weather", Target: "home", Items: []item.Item{{ID: "a", Title: "storm"}}}}
	tell := func(c item.Change) (alert.Message, bool) {
		return alert.Message{Key: fmt.Sprint(c.Item.Key(), c.Opened), Channel: "news", Text: c.Item.Title}, true
	}
	for range 2 {
		if _, _, err := Source(t.Context(), h.st, run, checked(t, found), tell); err != nil {
			t.Fatal(err)
		}
	}
	due, err := h.st.Due(t.Context(), noon.Add(time.Hour), 10)
	if err != nil || len(due) != 1 || due[0].Text != "storm" {
		t.Errorf("%v, %v", due, err)
	}
}

func TestAStoreThatIsAwayStoresNothing(t *testing.T) {
	h := newHouse(t)
	h.st.Close()
	stored, unchanged, err := Source(t.Context(), h.st, store.Run{}, checked(t, Found{Readings: []reading.Reading{weather("home", noon, warm(20))}}), nil)
	if err == nil || stored+unchanged != 0 {
		t.Errorf("%d stored, %d unchanged, %v", stored, unchanged, err)
	}
	if _, _, err := Source(t.Context(), h.st, store.Run{}, nil, nil); err != nil {
		t.Errorf("nothing to store: %v", err)
	}
}
