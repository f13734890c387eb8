package status

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// every returns times from a to b before now, one each period.
func every(period, a, b time.Duration) (ts []time.Time) {
	for before := a; before >= b; before -= period {
		ts = append(ts, now.Add(-before))
	}
	return ts
}

func TestADeviceIsSilentAfterSomeOfItsOwnPauses(t *testing.T) {
	jitter := rand.New(rand.NewPCG(1, 2))
	irregular := func(b time.Duration) (ts []time.Time) { // on change, at least once an hour
		for before := day; before > b; before -= time.Duration(1+jitter.IntN(60)) * time.Minute {
			ts = append(ts, now.Add(-before))
		}
		return append(ts, now.Add(-b))
	}
	for name, c := range map[string]struct {
		kind   string
		times  []time.Time
		silent bool
	}{
		"five_seconds_and_live":             {"edge", every(5*time.Second, 3*time.Hour, 5*time.Second), false},
		"five_seconds_in_a_short_break":     {"edge", every(5*time.Second, 3*time.Hour, time.Minute), false},
		"five_seconds_and_quiet":            {"edge", every(5*time.Second, 3*time.Hour, 4*time.Minute), true},
		"five_seconds_mapped":               {"mapped", every(5*time.Second, 3*time.Hour, 4*time.Minute), true},
		"five_seconds_after_an_outage":      {"edge", append(every(5*time.Second, 20*time.Hour, 9*time.Hour), every(5*time.Second, 7*time.Hour, 4*time.Minute)...), true},
		"five_seconds_for_some_minutes":     {"edge", every(5*time.Second, 15*time.Minute, 6*time.Minute), true},
		"five_seconds_for_an_hour_long_ago": {"edge", every(5*time.Second, 10*time.Hour, 9*time.Hour), true},
		"new_and_live":                      {"edge", every(5*time.Second, time.Minute, 5*time.Second), false},
		"new_with_few_values":               {"edge", every(time.Minute, 2*time.Hour, 116*time.Minute), false},
		"a_minute_in_a_restart":             {"edge", every(time.Minute, 20*time.Hour, 150*time.Second), false},
		"a_minute_and_quiet":                {"edge", every(time.Minute, 20*time.Hour, 5*time.Minute), true},
		"hourly":                            {"edge", every(time.Hour, 23*time.Hour, 100*time.Minute), false},
		"hourly_and_quiet":                  {"edge", every(time.Hour, 23*time.Hour, 5*time.Hour), true},
		"four_hours":                        {"mapped", every(4*time.Hour, 23*time.Hour, 7*time.Hour), false}, // too few values: a day
		"zigbee_on_change":                  {"zigbee", irregular(2 * time.Hour), false},
		"zigbee_and_quiet":                  {"zigbee", irregular(7 * time.Hour), true},
		"zigbee_plug_that_was_busy":         {"zigbee", every(10*time.Second, 4*time.Hour, 2*time.Hour), false},
		"mapped_on_change":                  {"mapped", irregular(90 * time.Minute), false},
		"yesterday":                         {"edge", every(5*time.Second, 50*time.Hour, 49*time.Hour), true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFixture(t)
			last := c.times[len(c.times)-1]
			id := h.device(c.kind, "Air", "", store.DeviceState{Metric: "temperature_celsius", Value: 20, Time: last})
			measurement := map[string]string{"zigbee": "zigbee"}[c.kind]
			if measurement == "" {
				measurement = "air"
			}
			var rs []reading.Reading
			for _, at := range c.times {
				rs = append(rs, reading.Reading{Name: measurement, Tags: map[string]string{"device": id}, Fields: map[string]float64{"temperature_celsius": 20}, Time: at})
			}
			h.ok(h.st.Write(t.Context(), rs))
			if d := h.data().Rooms[0].Devices[0]; d.Away() != c.silent {
				t.Errorf("state %q, last %s ago", d.State, now.Sub(last))
			}
		})
	}
}

func TestADeclaredCadenceIsTheUsualPause(t *testing.T) {
	own := catalogue.Measurement{Name: "kiln", Cadence: 5 * time.Minute}
	if got := usualPause(own, graph{}, now); got != 5*time.Minute {
		t.Errorf("%v", got)
	}
	listed, _ := catalogue.Get("air")
	if got := usualPause(listed, graph{}, now); got != 0 {
		t.Errorf("%v: the catalogue's is not the device's own", got)
	}
	for _, c := range []struct {
		kind        string
		pause, want time.Duration
	}{{"edge", 0, day}, {"edge", time.Second, minQuiet}, {"edge", time.Hour, 3 * time.Hour}, {"edge", 20 * time.Hour, day}, {"zigbee", time.Second, 3 * time.Hour}} {
		if got := quietOf(c.kind, c.pause); got != c.want {
			t.Errorf("%s: %v, want %v", fmt.Sprint(c.kind, " ", c.pause), got, c.want)
		}
	}
}
