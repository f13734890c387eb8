package rules

import (
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

func TestTheLatestStateEndsAnAlertThatMissedIt(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	active := []alert.State{{Key: "zigbee-water-leak/cellar/water_leak", Spec: alert.Spec{Rule: "zigbee-water-leak"}, Sample: true, Phase: alert.Firing, Seen: at,
		Subject: alert.Subject{Device: "cellar", Measurement: "zigbee", Field: "water_leak"}}, {Key: "silent/cellar", Subject: alert.Subject{Device: "cellar"}}}
	dry := store.DeviceState{Device: "cellar", Metric: "water_leak", Time: at.Add(time.Minute), Arrived: at.Add(time.Minute), Quality: "ok"}
	s := compile(t, "")
	if got := s.Latest(active, []store.DeviceState{dry}, false); len(got) != 1 || got[0].Verdict != alert.Good || got[0].Key != active[0].Key || !got[0].At.Equal(dry.Time) || !got[0].Sample {
		t.Errorf("%+v", got)
	}
	for name, change := range map[string]func(*store.DeviceState){
		"old":      func(d *store.DeviceState) { d.Time = at },
		"late":     func(d *store.DeviceState) { d.Arrived = d.Time.Add(3 * time.Minute) },
		"retained": func(d *store.DeviceState) { d.Retained = true },
		"suspect":  func(d *store.DeviceState) { d.Quality = "suspect" },
		"a text":   func(d *store.DeviceState) { d.Text = "dry" },
	} {
		state := dry
		change(&state)
		if got := s.Latest(active, []store.DeviceState{state}, false); len(got) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	pending := active[0]
	pending.Phase = alert.Pending
	for late, want := range map[float64][]alert.Verdict{0: {alert.NoData}, 1: nil} {
		state := dry
		state.Value, state.Arrived = late, state.Time.Add(time.Hour)
		var got []alert.Verdict
		for _, o := range s.Latest([]alert.State{pending}, []store.DeviceState{state}, false) {
			got = append(got, o.Verdict)
		}
		if !slices.Equal(got, want) {
			t.Errorf("pending, late %g: %v, want %v", late, got, want)
		}
	}
}

func TestARuleThatIsGoneIsNoLongerWatched(t *testing.T) {
	s := compile(t, `rules: {air-co2-high: {room: Kitchen, off: true}, silent: {off: true}, mine: {field: air.co2_ppm, above: 900, device: a}, still: {field: air.co2_ppm, silent: 1h}}`)
	alertOf := func(rule, field, device, room string) alert.State {
		return alert.State{Spec: alert.Spec{Rule: rule}, Subject: alert.Subject{Measurement: "air", Field: field, Device: device, Room: room}}
	}
	for _, c := range []struct {
		a   alert.State
		why string
	}{
		{alertOf("air-co2-high", "co2_ppm", "x", "Office"), ""},
		{alertOf("air-co2-high", "co2_ppm", "x", "Kitchen"), "The rule air-co2-high is switched off for it in hearth.yml."},
		{alertOf("silent", "co2_ppm", "x", ""), "The rule silent is switched off for it in hearth.yml."},
		{alertOf("frozen", "co2_ppm", "x", ""), ""},
		{alertOf("mine", "co2_ppm", "a", ""), ""},
		{alertOf("mine", "co2_ppm", "b", ""), "The rule mine is switched off for it in hearth.yml."},
		{alertOf("still", "co2_ppm", "b", ""), ""},
		{alertOf("yesterdays", "co2_ppm", "b", ""), "The rule yesterdays is no longer in hearth.yml."},
		{alert.State{Spec: alert.Spec{Rule: "of-another-program"}}, ""},
	} {
		if why, ok := s.Watches(c.a); why != c.why || ok != (c.why == "") {
			t.Errorf("%s %s %s: %q %t, want %q", c.a.Rule, c.a.Device, c.a.Room, why, ok, c.why)
		}
	}
}
