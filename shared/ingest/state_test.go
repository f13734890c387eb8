package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/store"
)

// one returns a state of the device a.
func (h *house) one(metric string) store.DeviceState {
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

func TestAStateSaysSinceWhenItHasItsValue(t *testing.T) {
	h := newHouse(t)
	note := func(minute int, text string) Report {
		return Report{Measurement: "air", Notes: []device.Note{{Key: "mode", Text: text}}, Time: at(minute), Arrived: at(minute)}
	}
	h.say(air(0, "co2_ppm", 600), note(0, "auto"))
	h.say(air(1, "co2_ppm", 600), note(1, "auto"))
	for _, metric := range []string{"co2_ppm", "mode"} {
		if s := h.one(metric); !s.Changed.Equal(noon) || !s.Time.Equal(at(1)) {
			t.Errorf("the same again: %+v", s)
		}
	}
	h.say(air(2, "co2_ppm", 601), note(2, "off"))
	for _, metric := range []string{"co2_ppm", "mode"} {
		if s := h.one(metric); !s.Changed.Equal(at(2)) {
			t.Errorf("another: %+v", s)
		}
	}
	h.say(note(3, ""))
	if s := h.one("mode"); s.Text != "off" {
		t.Errorf("an empty text: %+v", s)
	}
}

func TestANumberAfterATextIsAChange(t *testing.T) {
	h := newHouse(t)
	b, thing := h.begin()
	b.SetState(thing, "x", "off", 0, noon, false)
	b.SetState(thing, "x", "", 0, at(1), false)
	b.SetState(thing, "y", "", 0, noon, true)
	b.SetNote(thing, "z", "held", at(-1), noon, true)
	b.Done(nil)
	if _, err := b.Store(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := h.one("x"); s.Text != "" || !s.Changed.Equal(at(1)) {
		t.Errorf("%+v", s)
	}
	if s := h.one("y"); !s.Changed.Equal(noon) || !s.Retained {
		t.Errorf("%+v", s)
	}
	if s := h.one("z"); s.Text != "held" || !s.Time.Equal(at(-1)) || !s.Arrived.Equal(noon) || !s.Retained || !s.Changed.Equal(at(-1)) {
		t.Errorf("%+v", s)
	}
	b, thing = h.begin()
	defer b.Done(nil)
	if s, ok := b.State(thing, "z"); !ok || s.Text != "held" {
		t.Errorf("%+v, %v", s, ok)
	}
	if _, ok := b.State(thing, "never"); ok {
		t.Error("a state of what was never said")
	}
}

func TestWhatComesLateIsAReadingAndNoState(t *testing.T) {
	h := newHouse(t)
	h.say(air(5, "co2_ppm", 600))
	late := air(3, "co2_ppm", 900)
	late.Notes = []device.Note{{Key: "mode", Text: "auto"}}
	if a := h.say(late); a.Stored != 1 {
		t.Errorf("%+v", a)
	}
	late.Time, late.Arrived, late.Notes[0].Text = at(2), at(6), "off"
	h.say(late)
	if s := h.one("co2_ppm"); s.Value != 600 || !s.Time.Equal(at(5)) {
		t.Errorf("%+v", s)
	}
	if s := h.one("mode"); s.Text != "auto" {
		t.Errorf("%+v", s)
	}
	if got := h.lines("air"); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

func TestAMetricBelongsToOneDeviceAndThereIsRoomForSoMany(t *testing.T) {
	h := newHouse(t)
	many := Report{Measurement: "custom", Time: noon, Arrived: noon}
	for i := range 250 {
		many.Values = append(many.Values, device.Value{Key: "x" + string(rune('a'+i/26)) + string(rune('a'+i%26)), V: 1})
	}
	more := Report{Measurement: "custom", Time: at(1), Arrived: at(1), Values: append([]device.Value{{Key: "one_more", V: 1}}, many.Values...)}
	if a := h.say(more); reasons(a.Rejected) != "0: a has more than 250 metrics" {
		t.Errorf("%+v", a)
	}
	if a := h.say(many); a.Stored != 1 {
		t.Errorf("%+v", a)
	}
	if a := h.say(more); len(a.Rejected) != 1 {
		t.Errorf("%+v", a)
	}
	again := many
	again.Time, again.Arrived = at(2), at(2)
	if a := h.say(again); a.Stored != 1 {
		t.Errorf("those that it has: %+v", a)
	}
}

func TestTimesAreAsTheSourceSaid(t *testing.T) {
	h := newHouse(t)
	zone := time.FixedZone("", 3600)
	r := air(0, "co2_ppm", 600)
	r.Time = noon.In(zone)
	h.say(r)
	h.want("readings", h.lines("air"), "air,device=a co2_ppm=600 1780315200000000000")
}

// A device with ever new texts adds no more metrics than one with ever new
// numbers; what it had goes on.
func TestTextsAreMetricsToo(t *testing.T) {
	h := newHouse(t)
	note := func(i int) Report {
		return Report{Measurement: "air", Notes: []device.Note{{Key: fmt.Sprint("note_", i), Text: "on"}}, Time: at(i), Arrived: at(i)}
	}
	var reports []Report
	for i := range 60 { // an hour: what is later comes from the future
		r := note(i)
		for n := range 4 {
			r.Notes = append(r.Notes, device.Note{Key: fmt.Sprint("more_", i, "_", n), Text: "on"})
		}
		reports = append(reports, r)
	}
	a := h.say(reports...)
	states, err := h.st.DeviceStates(t.Context(), "a")
	if err != nil || len(states) != 250 || len(a.Rejected) != 10 {
		t.Errorf("%d metrics, %d reports rejected, %v; want 250 and 10", len(states), len(a.Rejected), err)
	}
	again := note(0)
	again.Time, again.Arrived = at(59), at(59)
	if a := h.say(again); len(a.Rejected) != 0 {
		t.Errorf("a text that it had: %+v", a)
	}
}
