package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

func air(device, sample string, v float64, at time.Time) reading.Reading {
	r := reading.Reading{Name: "air", Tags: map[string]string{"device": device}, Fields: map[string]float64{"temperature_celsius": v}, Time: at}
	if sample != "" {
		r.Tags["sample"] = sample
	}
	return r
}

func TestALineIsDrawnAnewOnceAMinuteAndSoonForANewDevice(t *testing.T) {
	h := newFixture(t)
	desk := h.device("edge", "Desk", "", state("temperature_celsius", 21))
	h.ok(h.st.Write(t.Context(), []reading.Reading{air(desk, "", 20, h.now.Add(-time.Hour)), air(desk, "", 24, h.now.Add(-30*time.Minute))}))
	p := h.page()
	clock := h.now
	p.Now = func() time.Time { return clock }
	lines := func(after time.Duration) string {
		clock = clock.Add(after)
		var got []string
		for _, d := range p.snapshot(t.Context()).data.Rooms[0].Devices {
			got = append(got, fmt.Sprint(d.Name, strings.Count(d.Spark.Points, ",")))
		}
		return strings.Join(got, " ")
	}
	if got := lines(0); got != "Desk2" {
		t.Fatalf("at first: %s", got)
	}
	h.ok(h.st.Write(t.Context(), []reading.Reading{air(desk, "", 22, h.now)}))
	if got := lines(time.Second); got != "Desk2" {
		t.Errorf("a second later: %s", got)
	}
	if got := lines(time.Hour); got != "Desk3" {
		t.Errorf("an hour later: %s", got)
	}
	shelf := h.device("edge", "Shelf", "", state("temperature_celsius", 19))
	h.ok(h.st.Write(t.Context(), []reading.Reading{air(shelf, "", 18, h.now.Add(-time.Hour)), air(shelf, "", 19, h.now.Add(-time.Minute))}))
	if got := lines(time.Second); got != "Desk3 Shelf0" {
		t.Errorf("at once, with a device more: %s", got)
	}
	if got := lines(20 * time.Second); got != "Desk3 Shelf2" {
		t.Errorf("soon: %s", got)
	}
}

func TestADeviceIsMarkedWhoseNewestReadingsAreSamples(t *testing.T) {
	for name, c := range map[string]struct {
		older, newer string
		ago          time.Duration
		want         bool
	}{
		"real since a while":    {"true", "", time.Hour, false},
		"real since a moment":   {"true", "", time.Minute, false},
		"sample since a while":  {"", "true", time.Hour, true},
		"sample from the start": {"true", "true", time.Hour, true},
	} {
		h := newFixture(t)
		id := h.device("edge", "Desk", "", state("temperature_celsius", 21))
		h.ok(h.st.Write(t.Context(), []reading.Reading{air(id, c.older, 10, h.now.Add(-2*time.Hour)), air(id, c.older, 20, h.now.Add(-c.ago-time.Second)), air(id, c.newer, 30, h.now.Add(-time.Second))}))
		if d := h.data().Rooms[0].Devices[0]; d.Sample != c.want || d.Spark.About != "between 10.0 and 30.0 °C" {
			t.Errorf("%s: marked %t, line %+v", name, d.Sample, d.Spark)
		}
	}
}
