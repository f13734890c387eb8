package backtest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var begin = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// history is a store with ten days of the air of an office: each day the CO₂ is 1,700 ppm
// from 9:00 to 10:00, and on the sixth day the sensor is off from 12:00 to 18:00. The
// freezer, which another measurement holds, is fine.
func history(t *testing.T) *store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if _, err := st.AdoptDevices(t.Context(), []store.DeviceRequest{{Physical: "edge/office-air", Kind: "edge", Device: "office-air", Name: "Office air"}, {Physical: "0x1", Kind: "zigbee", Device: "freezer", Name: "Freezer"}}, begin); err != nil {
		t.Fatal(err)
	}
	var rs []reading.Reading
	for at := begin; at.Before(begin.AddDate(0, 0, 10)); at = at.Add(time.Minute) {
		day, minute := int(at.Sub(begin).Hours()/24), at.Hour()*60+at.Minute()
		co2 := 700.0 + float64(minute%7)
		if minute >= 540 && minute < 600 {
			co2 = 1700
		}
		if day != 5 || minute < 720 || minute >= 1080 {
			rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": "office-air"}, Fields: map[string]float64{"co2_ppm": co2, "temperature_celsius": 20 + float64(minute%100)/100}, Time: at})
		}
		if minute%30 == 0 {
			rs = append(rs, reading.Reading{Name: "zigbee", Tags: map[string]string{"device": "freezer"}, Fields: map[string]float64{"temperature_celsius": -18 + float64(minute%7)/10}, Time: at})
		}
	}
	for part := range slices.Chunk(rs, 2000) {
		if err := st.Write(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func setOf(t *testing.T, text string, quiet ...alert.QuietHours) Rules {
	t.Helper()
	f := settings.Parse([]byte(text))
	set := rules.Compile(f, nil)
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	return Rules{House: alert.House{QuietHours: quiet}, Rules: set}
}

// told returns what a result says, one line for each message.
func told(r Result) (out []string) {
	for _, m := range r.Messages {
		out = append(out, fmt.Sprintf("%s %s %s", m.At.Format("2 15:04"), m.Rule, m.What))
	}
	return out
}

func TestRunTellsWhatRulesWouldHaveSent(t *testing.T) {
	st := history(t)
	var shown Progress
	results, err := Run(t.Context(), st, []Rules{
		setOf(t, ""),
		setOf(t, "rules: {air-co2-high: {above: 1650, for: 30m}, silent: {off: true}}"),
		setOf(t, "rules: {air-co2-high: {off: true}, dry: {field: air.co2_ppm, below: 351}}"),
		setOf(t, "", alert.QuietHours{From: 0, To: 12 * time.Hour}),
	}, begin, begin.AddDate(0, 0, 7), func(p Progress) { shown = p })
	if err != nil {
		t.Fatal(err)
	}
	if !shown.At.Equal(begin.AddDate(0, 0, 7)) || shown.Readings != 7*24*60-6*60+7*48 {
		t.Errorf("progress %+v", shown)
	}
	silent := []string{"6 12:09 silent fired", "6 18:01 silent resolved"}
	var daily, long []string
	for day := 1; day <= 7; day++ {
		daily = append(daily, fmt.Sprintf("%d 09:02 air-co2-high fired", day), fmt.Sprintf("%d 10:00 air-co2-high resolved", day))
		long = append(long, fmt.Sprintf("%d 09:30 air-co2-high fired", day), fmt.Sprintf("%d 10:00 air-co2-high resolved", day))
		if day == 6 {
			daily = append(daily, silent...)
		}
	}
	for i, want := range [][]string{daily, long, silent, silent} {
		if got := told(results[i]); !slices.Equal(got, want) {
			t.Errorf("rules %d:\n%q, want\n%q", i, got, want)
		}
		if results[i].Sent != len(want) {
			t.Errorf("rules %d: %d sent, want %d", i, results[i].Sent, len(want))
		}
	}
	if got := results[0].Of; got["air-co2-high"] != 14 || got["silent"] != 2 || len(got) != 2 {
		t.Errorf("by rule: %v", got)
	}
}

// TestRunWritesNothing: no alert, no message.
func TestRunWritesNothing(t *testing.T) {
	st := history(t)
	if _, err := Run(t.Context(), st, []Rules{setOf(t, "")}, begin, begin.AddDate(0, 0, 2), func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	alerts, err := st.Alerts(t.Context(), 10)
	queued, err2 := st.Outbox(t.Context(), 10)
	if err != nil || err2 != nil || len(alerts)+len(queued) > 0 {
		t.Errorf("%v, %v, %v, %v", alerts, queued, err, err2)
	}
}

// TestRunEndsWithItsContext: a long run can be stopped.
func TestRunEndsWithItsContext(t *testing.T) {
	st := history(t)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Run(ctx, st, []Rules{setOf(t, "")}, begin, begin.AddDate(0, 0, 10), func(Progress) { cancel() }); err == nil {
		t.Error("it ran on")
	}
}

// TestHistoryIsInOrder: readings of several measurements come in the order of time, each
// once, however the history is divided.
func TestHistoryIsInOrder(t *testing.T) {
	st := history(t)
	n, last := 0, time.Time{}
	for part, err := range inOrder(t.Context(), st, begin.Add(time.Hour), begin.AddDate(0, 0, 9)) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range part.readings {
			if r.Time.Before(last) {
				t.Fatalf("%s after %s", r.Time, last)
			}
			last = r.Time
			n++
		}
	}
	if want := 9*24*60 - 60 - 6*60 + 9*48 - 2; n != want {
		t.Errorf("%d readings, want %d", n, want)
	}
}

func TestNotReplayable(t *testing.T) {
	got := NotReplayable(setOf(t, "rules: {mine: {field: air.co2_ppm, above: 1}, still: {field: air.co2_ppm, frozen: 3h}}").Rules)
	for name, want := range map[string]bool{"bridge-offline": true, "source-failing": true, "silent": false, "frozen": false, "air-co2-high": false, "mine": false, "still": false} {
		if slices.Contains(got, name) != want {
			t.Errorf("%s: %v, want %v", name, !want, want)
		}
	}
}
