package glance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
)

// TestATileOfAFailingSourceAges: what it lists is as old as the last run that fetched it, however
// many runs have failed since.
func TestATileOfAFailingSourceAges(t *testing.T) {
	f := newFixture(t)
	f.Items("asana", "Home", chore("Post", "due_on=2026-11-27"))
	f.Items("ebay", "Pi 5", item.Item{ID: "1", Title: "A Pi", At: now.Add(-3 * time.Hour)})
	f.Items("github", "me/x alerts", vulnerability("1", "low"))
	kinds := map[string]string{"today": "asana", "news": "ebay", "github": "github"}
	for _, source := range kinds {
		f.ran(source, "partial", now.Add(5*time.Hour))
		f.ran(source, "failed", now.Add(6*time.Hour))
		f.ran(source, "running", now.Add(7*time.Hour))
	}
	f.Now = now.Add(9*time.Hour + 30*time.Minute) // before midnight
	for kind, source := range kinds {
		if tile := f.tile(kind); !tile.At.Equal(now.Add(5*time.Hour)) || tile.Stale != 4*time.Hour {
			t.Errorf("%s: %v, %v", source, tile.At, tile.Stale)
		}
	}
	s := f.glance().Snapshot(t.Context(), View{At: now.Add(5*time.Hour - time.Minute)})
	for _, tile := range s.Tiles {
		if !tile.At.Equal(now.Add(-time.Minute)) {
			t.Errorf("before, %s: %v", tile.Kind(), tile.At)
		}
	}
}

// TestOfTasksAndEventsTheSourceThatRanFirstAges: a list of events alone ages, too.
func TestOfTasksAndEventsTheSourceThatRanFirstAges(t *testing.T) {
	f := newFixture(t)
	f.Items("feeds", "Calendar", item.Item{ID: "1", Title: "Dentist", At: now, Attributes: map[string]string{"start": "2026-11-27T16:00:00Z"}})
	if tile := f.tile("today"); !tile.At.Equal(now.Add(-time.Minute)) {
		t.Error(tile.At)
	}
	f.Items("asana", "Home", chore("Post", "due_on=2026-11-27"))
	f.ran("feeds", "ok", now)
	if tile := f.tile("today"); !tile.At.Equal(now.Add(-time.Minute)) {
		t.Error(tile.At)
	}
}

// TestThePastShowsNothingLater: neither in a curve, nor as a value; and no value that was suspect.
func TestThePastShowsNothingLater(t *testing.T) {
	f := newFixture(t)
	office := f.Device("edge", "Office air", "Office", pagetest.State("temperature_celsius", 10))
	bath := f.Device("edge", "Bath climate", "Bath", pagetest.State("temperature_celsius", 10))
	host := f.Device("node", "opi5", "", pagetest.State("cpu_usage_percent", 10))
	at := now.Add(-time.Hour)
	for m := -180; m <= 60; m++ {
		when, v := at.Add(time.Duration(m)*time.Minute), 20.0
		if m > 0 {
			v = 60
		}
		wet := reading.Reading{Name: "air", Tags: map[string]string{"device": bath}, Time: when, Fields: map[string]float64{"temperature_celsius": 21, "quality_code": 0}}
		if m > -20 {
			wet.Fields["temperature_celsius"], wet.Fields["quality_code"], wet.Text = 84, quality.Suspect.Code(), map[string]string{"suspect": "temperature_celsius"}
		}
		f.Readings(wet,
			reading.Reading{Name: "air", Tags: map[string]string{"device": office}, Time: when, Fields: map[string]float64{"temperature_celsius": v}},
			reading.Reading{Name: "host", Tags: map[string]string{"device": host}, Time: when, Fields: map[string]float64{"cpu_usage_percent": v}})
	}
	s := f.glance().Snapshot(t.Context(), View{At: at})
	for _, tile := range s.Tiles {
		for _, svg := range strings.Split(string(tile.Body), `class="line" d="`)[1:] {
			heights := map[string]bool{}
			for _, p := range strings.FieldsFunc(svg[:strings.IndexByte(svg, '"')], func(r rune) bool { return r == 'M' || r == 'L' }) {
				heights[p[strings.IndexByte(p, ' '):]] = true
			}
			if len(heights) != 1 {
				t.Errorf("%s: the curve of what was constant has the heights %v", tile.Kind(), heights)
			}
		}
		if got := words(&tile); tile.Kind() == "rooms" && got != "Bath 21.0 ° Office 20.0 °" {
			t.Error(got)
		}
	}
	if len(s.Tiles) != 2 || len(s.Errors) > 0 {
		t.Errorf("%+v", s)
	}
}

// TestAViewOfThePastIsReadAgain: after an error, and when late values may have arrived.
func TestAViewOfThePastIsReadAgain(t *testing.T) {
	f := newFixture(t)
	id := f.Device("edge", "Bath climate", "Bath", pagetest.State("temperature_celsius", 10))
	value := func(v float64, at time.Time) {
		f.Readings(reading.Reading{Name: "air", Tags: map[string]string{"device": id}, Time: at, Fields: map[string]float64{"temperature_celsius": v}})
	}
	g, past := f.glance(), View{At: now.Add(-time.Hour)}
	value(7, past.At.Add(-10*time.Minute))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if s := g.Snapshot(gone, past); len(s.Errors) == 0 {
		t.Fatal("no error")
	}
	for _, want := range []string{"Bath 7.0 °", "Bath 8.0 °"} {
		f.Now = f.Now.Add(time.Minute)
		s := g.Snapshot(t.Context(), past)
		if len(s.Errors) > 0 || len(s.Tiles) == 0 || words(&s.Tiles[0]) != want {
			t.Errorf("%v, %v, want %s", s.Errors, s.Tiles, want)
		}
		value(8, past.At.Add(-time.Minute))
	}
}

// TestDaysAreThoseOfTheHouse: far from UTC, ten minutes before and after midnight.
func TestDaysAreThoseOfTheHouse(t *testing.T) {
	for zone, at := range map[string]string{"Pacific/Auckland": "2026-11-27T23:50:00+13:00", "America/Los_Angeles": "2026-11-27T23:50:00-08:00"} {
		f := newFixture(t)
		f.yml = "house: {zone: " + zone + "}"
		f.Now, _ = time.Parse(time.RFC3339, at)
		moment := f.Now.Add(5 * time.Minute).UTC().Format(time.RFC3339)
		f.Items("asana", "Home", chore("Day", "due_on=2026-11-27"), chore("Moment", "due_at="+moment), chore("Next", "due_on=2026-11-28"), chore("Before", "due_on=2026-11-26"))
		for want, now := range map[string]time.Time{
			"Before 1 day late Day today Moment 23:55 Next Sat":              f.Now,
			"Before 2 days late Day 1 day late Moment 1 day late Next today": f.Now.Add(20 * time.Minute),
		} {
			f.Now = now
			if got := words(f.tile("today")); got != want {
				t.Errorf("%s, %s: %s, want %s", zone, now, got, want)
			}
		}
	}
}

// TestAValueOfADayIsKnownAtItsEnd: the minutes of a day are stored again each hour, at its beginning.
func TestAValueOfADayIsKnownAtItsEnd(t *testing.T) {
	f := newFixture(t)
	f.minutes("me", "2026-11-25", 100)
	f.minutes("me", "2026-11-26", 900)
	f.Readings(reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": "10y"}, Time: now.AddDate(0, 0, -2).Truncate(24 * time.Hour), Fields: map[string]float64{"yield_percent": 4}},
		reading.Reading{Name: "treasury_yield", Tags: map[string]string{"maturity": "10y"}, Time: now.AddDate(0, 0, -1).Truncate(24 * time.Hour), Fields: map[string]float64{"yield_percent": 5}})
	g := f.glance()
	for at, want := range map[string]string{"2026-11-26T08:00:00Z": "100 of 2 000 minutes", "2026-11-27T08:00:00Z": "900 of 2 000 minutes"} {
		when, _ := time.Parse(time.RFC3339, at)
		for _, tile := range g.Snapshot(t.Context(), View{At: when}).Tiles {
			got := plain(words(&tile))
			if tile.Kind() == "github" && !strings.HasPrefix(got, want[:strings.Index(want, " minutes")]) || tile.Kind() == "curve" && !strings.Contains(got, map[string]string{"100": "4.00", "900": "5.00"}[want[:3]]) {
				t.Errorf("%s: %s, want %s", at, got, want)
			}
		}
	}
}
