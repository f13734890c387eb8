package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/store"
)

// state returns the state of a metric of the device a.
func (h *harness) state(metric string) store.DeviceState {
	h.t.Helper()
	states, err := h.st.DeviceStates(h.t.Context(), "a")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range states {
		if s.Metric == metric {
			return s
		}
	}
	h.t.Fatalf("no state of %s", metric)
	return store.DeviceState{}
}

func TestAStateHasTheTimeOfItsLastChange(t *testing.T) {
	h := newHarness(t)
	note := func(minute int, text string) Report {
		return Report{Measurement: "air", TextStates: []device.TextState{{Key: "mode", Text: text}}, Time: at(minute), Arrived: at(minute)}
	}
	h.store(air(0, "co2_ppm", 600), note(0, "auto"))
	h.store(air(1, "co2_ppm", 600), note(1, "auto"))
	for _, metric := range []string{"co2_ppm", "mode"} {
		if s := h.state(metric); !s.Changed.Equal(noon) || !s.Time.Equal(at(1)) {
			t.Errorf("the same value again: %+v", s)
		}
	}
	h.store(air(2, "co2_ppm", 601), note(2, "off"))
	for _, metric := range []string{"co2_ppm", "mode"} {
		if s := h.state(metric); !s.Changed.Equal(at(2)) {
			t.Errorf("another value: %+v", s)
		}
	}
	h.store(note(3, ""))
	if s := h.state("mode"); s.Text != "off" {
		t.Errorf("an empty text: %+v", s)
	}
}

func TestANumberAfterATextIsAChange(t *testing.T) {
	h := newHarness(t)
	b, dev := h.begin()
	b.SetState(dev, "x", "off", 0, noon, false)
	b.SetState(dev, "x", "", 0, at(1), false)
	b.SetState(dev, "y", "", 0, noon, true)
	b.SetTextState(dev, "z", "held", at(-1), noon, true)
	b.Done(nil)
	if _, err := b.Store(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := h.state("x"); s.Text != "" || !s.Changed.Equal(at(1)) {
		t.Errorf("%+v", s)
	}
	if s := h.state("y"); !s.Changed.Equal(noon) || !s.Retained {
		t.Errorf("%+v", s)
	}
	if s := h.state("z"); s.Text != "held" || !s.Time.Equal(at(-1)) || !s.Arrived.Equal(noon) || !s.Retained || !s.Changed.Equal(at(-1)) {
		t.Errorf("%+v", s)
	}
	b, dev = h.begin()
	defer b.Done(nil)
	if s, ok := b.State(dev, "z"); !ok || s.Text != "held" {
		t.Errorf("%+v, %v", s, ok)
	}
	if _, ok := b.State(dev, "never"); ok {
		t.Error("a state of a metric that was never reported")
	}
}

func TestALateReportIsAReadingAndNoState(t *testing.T) {
	h := newHarness(t)
	h.store(air(5, "co2_ppm", 600))
	late := air(3, "co2_ppm", 900)
	late.TextStates = []device.TextState{{Key: "mode", Text: "auto"}}
	if a := h.store(late); a.Stored != 1 {
		t.Errorf("%+v", a)
	}
	late.Time, late.Arrived, late.TextStates[0].Text = at(2), at(6), "off"
	h.store(late)
	if s := h.state("co2_ppm"); s.Value != 600 || !s.Time.Equal(at(5)) {
		t.Errorf("%+v", s)
	}
	if s := h.state("mode"); s.Text != "auto" {
		t.Errorf("%+v", s)
	}
	if got := h.lines("air"); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

func TestADeviceHasAtMost250Metrics(t *testing.T) {
	h := newHarness(t)
	many := Report{Measurement: "custom", Time: noon, Arrived: noon}
	for i := range 250 {
		many.Values = append(many.Values, device.Value{Key: "x" + string(rune('a'+i/26)) + string(rune('a'+i%26)), V: 1})
	}
	more := Report{Measurement: "custom", Time: at(1), Arrived: at(1), Values: append([]device.Value{{Key: "one_more", V: 1}}, many.Values...)}
	if a := h.store(more); reasons(a.Rejected) != "0: a has more than 250 metrics" {
		t.Errorf("%+v", a)
	}
	if a := h.store(many); a.Stored != 1 {
		t.Errorf("%+v", a)
	}
	if a := h.store(more); len(a.Rejected) != 1 {
		t.Errorf("%+v", a)
	}
	again := many
	again.Time, again.Arrived = at(2), at(2)
	if a := h.store(again); a.Stored != 1 {
		t.Errorf("a report of metrics that the device has: %+v", a)
	}
}

func TestTimesAreStoredInUTC(t *testing.T) {
	h := newHarness(t)
	zone := time.FixedZone("", 3600)
	r := air(0, "co2_ppm", 600)
	r.Time = noon.In(zone)
	h.store(r)
	h.want("readings", h.lines("air"), "air,device=a co2_ppm=600 1780315200000000000")
}

// TestTextsAreMetricsToo: texts of ever new names are limited as numbers are. Those
// that the device has are still taken.
func TestTextsAreMetricsToo(t *testing.T) {
	h := newHarness(t)
	note := func(i int) Report {
		return Report{Measurement: "air", TextStates: []device.TextState{{Key: fmt.Sprint("note_", i), Text: "on"}}, Time: at(i), Arrived: at(i)}
	}
	var reports []Report
	for i := range 60 { // an hour: a later report would be in the future
		r := note(i)
		for n := range 4 {
			r.TextStates = append(r.TextStates, device.TextState{Key: fmt.Sprint("more_", i, "_", n), Text: "on"})
		}
		reports = append(reports, r)
	}
	a := h.store(reports...)
	states, err := h.st.DeviceStates(t.Context(), "a")
	if err != nil || len(states) != 250 || len(a.Rejected) != 10 {
		t.Errorf("%d metrics, %d reports rejected, %v; want 250 and 10", len(states), len(a.Rejected), err)
	}
	again := note(0)
	again.Time, again.Arrived = at(59), at(59)
	if a := h.store(again); len(a.Rejected) != 0 {
		t.Errorf("a text that the device has: %+v", a)
	}
}
