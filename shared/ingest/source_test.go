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
func (h *harness) run() store.Run {
	h.t.Helper()
	r, err := h.st.Begin(h.t.Context(), store.Run{Function: "weather", Trigger: "cron", Started: noon}, time.Hour, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// outcome is the result of storing a run.
type outcome struct {
	stored, unchanged int
	refused           string
}

// save checks and stores the results of a run, and fails the test on an error.
func (h *harness) save(run store.Run, found ...Found) outcome {
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
	if o.stored, o.unchanged, err = SaveRun(h.t.Context(), h.st, run, all, nil, nil); err != nil {
		h.t.Fatal(err)
	}
	return o
}

// checked returns f after a Check that refuses nothing.
func checked(t *testing.T, f Found) []Checked {
	t.Helper()
	c, refused, err := f.Check(noon)
	if err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	return []Checked{c}
}

// TestAFaultyReadingIsRefused: mistakes of the upstream are left out and the rest is
// stored. A name that is not in the catalogue is the source's mistake: nothing is
// stored.
func TestAFaultyReadingIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*reading.Reading)
		refused string
		stored  int
	}{
		"an unknown measurement": {func(r *reading.Reading) { r.Name = "wether" }, "wether is not in the catalogue", 0},
		"an unknown label":       {func(r *reading.Reading) { r.Tags["request"] = "1" }, `weather: the catalogue allows no label "request"`, 0},
		"an unknown field":       {func(r *reading.Reading) { r.Fields["colour"] = 1 }, `weather: the catalogue has no field "colour"`, 0},
		"an unknown text":        {func(r *reading.Reading) { r.Text = map[string]string{"mood": ""} }, `weather: the catalogue has no text "mood"`, 0},
		"NaN":                    {func(r *reading.Reading) { r.Fields["humidity_percent"] = math.NaN() }, "weather: humidity_percent is NaN, not a number", 1},
		"no time":                {func(r *reading.Reading) { r.Time = time.Time{} }, "weather: reading without a time", 1},
		"a time in 1999":         {func(r *reading.Reading) { r.Time = time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC) }, "weather: the time 1999-12-31T23:59:59Z is outside 2000-01-01 to 2026-06-01 (now 2026-06-01)", 1},
		"a time in the future":   {func(r *reading.Reading) { r.Time = noon.Add(5*time.Minute + 1) }, "weather: the time 2026-06-01T12:05:00.000000001Z is outside 2000-01-01T00:00:00Z to 2026-06-01T12:05:00Z (now 2026-06-01T12:00:00Z)", 1},
		"a label of 64 KiB":      {func(r *reading.Reading) { r.Tags["place"] = strings.Repeat("x", 64<<10) }, "cannot be stored", 1},
		"too cold":               {func(r *reading.Reading) { r.Fields["temperature_celsius"] = -90.5 }, "weather: temperature_celsius is -90.5, outside of -90 to 60", 2},
		"too wet":                {func(r *reading.Reading) { r.Fields["humidity_percent"] = 101 }, "weather: humidity_percent is 101, outside of 0 to 100", 2},
		"all out of range": {func(r *reading.Reading) {
			r.Fields = map[string]float64{"temperature_celsius": 61, "humidity_percent": -1}
		}, "weather: humidity_percent is -1, outside of 0 to 100; weather: temperature_celsius is 61, outside of -90 to 60", 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
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
			if o := h.save(h.run(), found); o.stored != tc.stored || !strings.HasPrefix(o.refused, tc.refused) {
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

// TestATargetOfWhichAllIsRefusedIsAnError: the upstream may have changed its format. A
// target that found nothing is no error.
func TestATargetOfWhichAllIsRefusedIsAnError(t *testing.T) {
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

func TestTheBoundsOfARangeAreValid(t *testing.T) {
	h := newHarness(t)
	rs := []reading.Reading{weather("a", noon.Add(5*time.Minute), warm(-90)), weather("b", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), warm(60))}
	rs[0].Text = map[string]string{"summary": "cold"}
	rs[1].Tags["sample"] = "true"
	if a := h.save(h.run(), Found{Readings: rs}); a.stored != 2 || a.refused != "" {
		t.Errorf("%+v", a)
	}
}

// TestATextIsStoredWithoutItsNumbers: where every number is out of range, the text is
// stored alone.
func TestATextIsStoredWithoutItsNumbers(t *testing.T) {
	h := newHarness(t)
	r := weather("home", noon, warm(99))
	r.Text = map[string]string{"summary": "hot"}
	if a := h.save(h.run(), Found{Readings: []reading.Reading{r}}); a.stored != 1 || a.refused != "weather: temperature_celsius is 99, outside of -90 to 60" {
		t.Errorf("%+v", a)
	}
	h.want("readings", h.lines("weather"), `weather,place=home summary="hot" 1780315200000000000`)
}

func TestARerunStoresOnlyDifferences(t *testing.T) {
	h := newHarness(t)
	rs := []reading.Reading{weather("home", noon, warm(20)), weather("home", at(1), warm(21)), weather("home", at(1), warm(21))}
	run := h.run()
	for i, want := range []outcome{{stored: 2, unchanged: 1}, {unchanged: 3}} {
		if a := h.save(run, Found{Readings: rs}); a.stored != want.stored || a.unchanged != want.unchanged {
			t.Errorf("run %d: %+v, want %+v", i+1, a, want)
		}
	}
	rs[0].Fields = warm(20.5)
	if a := h.save(run, Found{Readings: rs[:1]}, Found{Readings: rs[1:2]}); a.stored != 1 || a.unchanged != 1 {
		t.Errorf("a corrected reading: %+v", a)
	}
}

func TestARefusedItemMakesItsListIncomplete(t *testing.T) {
	h := newHarness(t)
	run := h.run()
	list := func(complete bool, ids ...string) Found {
		f := Found{List: store.List{Source: "weather", Target: "home", Complete: complete}}
		for _, id := range ids {
			f.List.Items = append(f.List.Items, item.Item{ID: id, Title: "item " + id})
		}
		return f
	}
	if a := h.save(run, list(true, "a", "b")); a.stored != 2 {
		t.Errorf("%+v", a)
	}
	second := list(true, "a", "", strings.Repeat("x", 1000), strings.Repeat("y", 1001))
	second.Readings = []reading.Reading{weather("home", noon, warm(20)), weather("home", at(1), warm(99))}
	a := h.save(run, list(false), list(false, "c"), second)
	if got, want := a.refused, `weather: temperature_celsius is 99, outside of -90 to 60; the item "item " has no id; the item "item `+strings.Repeat("y", 95)+`" has an id of 1001 bytes`; got != want {
		t.Errorf("rejected %s, want %s", got, want)
	}
	if a.stored != 3 || a.unchanged != 1 { // c, x and a reading; a
		t.Errorf("%+v", a)
	}
	items, err := h.st.OpenItems(t.Context(), "weather", 10)
	if err != nil || len(items) != 4 {
		t.Errorf("open items %v, %v: b must stay open, since the list was incomplete", items, err)
	}
	if a := h.save(run, list(true)); a.stored != 4 {
		t.Errorf("an empty complete list must close all items: %+v", a)
	}
}

// TestALostLeaseStoresNoReadings: a run without items that was suspended past its
// lease overwrites nothing, whether readings and tables are one file or two databases.
func TestALostLeaseStoresNoReadings(t *testing.T) {
	for name, wrap := range map[string]func(store.Series) store.Series{
		"one file":      func(s store.Series) store.Series { return s },
		"two databases": func(s store.Series) store.Series { return &observedSeries{Series: s, before: func() {}} },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.st.Series = wrap(h.st.Series)
			run := h.run()
			h.save(run, Found{Readings: []reading.Reading{weather("home", noon, warm(20))}})
			expired := run
			expired.Fence--
			_, _, err := SaveRun(t.Context(), h.st, expired, checked(t, Found{Readings: []reading.Reading{weather("home", noon, warm(10))}}), nil, nil)
			if !errors.Is(err, store.ErrFenced) {
				t.Error(err)
			}
			h.want("readings", h.lines("weather"), "weather,place=home temperature_celsius=20 1780315200000000000")
		})
	}
}

// TestItemsThenReadings: items are written first, and a run that lost its lease stores
// nothing.
func TestItemsThenReadings(t *testing.T) {
	h := newHarness(t)
	run := h.run()
	seen := -1
	w := &observedSeries{Series: h.st.Series, before: func() {
		items, err := h.st.OpenItems(t.Context(), "weather", 10)
		if seen = len(items); err != nil {
			t.Error(err)
		}
	}}
	h.st.Series = w
	found := Found{Readings: []reading.Reading{weather("home", noon, warm(20))}, List: store.List{Source: "weather", Target: "home", Items: []item.Item{{ID: "a", Title: "a"}}}}
	lost := run
	lost.Fence--
	if _, _, err := SaveRun(t.Context(), h.st, lost, checked(t, found), nil, nil); !errors.Is(err, store.ErrFenced) || w.calls != 0 {
		t.Errorf("%v, %d writes", err, w.calls)
	}
	if a := h.save(run, found); a.stored != 2 || seen != 1 {
		t.Errorf("%+v; %d items while the readings were written", a, seen)
	}
	w.fails, w.Series = true, h.st.Series.(*observedSeries).Series
	found.Readings[0].Time = at(1)
	if _, _, err := SaveRun(t.Context(), h.st, run, checked(t, found), nil, nil); !errors.Is(err, errUnreachable) {
		t.Error(err)
	}
	if w.fails = false; true {
		if a := h.save(run, found); a.stored != 0 || a.unchanged != 2 {
			t.Errorf("after a failure that came when all was stored: %+v", a)
		}
	}
}

func TestAnItemsMessageIsQueuedOnce(t *testing.T) {
	h := newHarness(t)
	run := h.run()
	found := Found{List: store.List{Source: "weather", Target: "home", Items: []item.Item{{ID: "a", Title: "storm"}}}}
	tell := func(cs []item.Change) (store.Alerts, []alert.Message) {
		return store.Alerts{}, []alert.Message{{Key: fmt.Sprint(cs[0].Item.Key(), cs[0].Opened), Channel: "news", Text: cs[0].Item.Title}}
	}
	for range 2 {
		if _, _, err := SaveRun(t.Context(), h.st, run, checked(t, found), tell, nil); err != nil {
			t.Fatal(err)
		}
	}
	due, err := h.st.Due(t.Context(), noon.Add(time.Hour), 10)
	if err != nil || len(due) != 1 || due[0].Text != "storm" {
		t.Errorf("%v, %v", due, err)
	}
}

func TestNothingIsStoredWithoutTheStore(t *testing.T) {
	h := newHarness(t)
	h.st.Close()
	stored, unchanged, err := SaveRun(t.Context(), h.st, store.Run{}, checked(t, Found{Readings: []reading.Reading{weather("home", noon, warm(20))}}), nil, nil)
	if err == nil || stored+unchanged != 0 {
		t.Errorf("%d stored, %d unchanged, %v", stored, unchanged, err)
	}
	if _, _, err := SaveRun(t.Context(), h.st, store.Run{}, nil, nil, nil); err != nil {
		t.Errorf("nothing to store: %v", err)
	}
}
