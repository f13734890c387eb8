package function

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// The tick moves time for all alerts: what quiet hours held is told in the morning, what a
// silence held when that is over, and what stays open is repeated each day.
func TestTheTickMovesTime(t *testing.T) {
	h := start(t)
	h.secret("hearth-settings", "quiet_hours: {from: \"14:00\", to: \"16:00\"}\n")
	h.build()
	h.edge("a")
	h.edge("b")
	h.edge("c")
	h.run(118 * time.Minute)
	silence := h.reports
	h.reports = map[string]func(time.Time){"c": silence["c"]}
	if err := h.st.SetUntil(t.Context(), store.UntilDate{Kind: store.Silence, Subject: "silent/b", Until: noon.Add(5 * time.Hour), Set: h.now}); err != nil {
		t.Fatal(err)
	}
	h.run(121 * time.Minute)
	h.expect("in quiet hours")
	h.run(2 * time.Minute)
	if messages := h.queued(); len(messages) != 1 || messages[0].Group != "morning/2026-06-01" {
		t.Errorf("%+v", messages)
	}
	h.expect("after quiet hours", "No values: a")
	h.run(59 * time.Minute)
	h.expect("at the end of the silence", "No values: b")
	h.run(23 * time.Hour)
	h.expect("a day later", "Still firing: No values: a")
}

// A value that is good again, but was not judged when it arrived, ends its alert.
func TestTheLatestValuesAreCompared(t *testing.T) {
	h := start(t)
	h.edge("air")
	h.run(5 * time.Minute)
	v := 1700.0
	o := alert.Observation{Key: "air-co2-high/air/co2_ppm", Spec: alert.Spec{Rule: "air-co2-high", Channel: alert.Climate, Severity: alert.Warning, Title: "CO₂ is high"},
		Subject: alert.Subject{Device: "air", Name: "air", Measurement: "air", Field: "co2_ppm"}, Verdict: alert.Bad, At: h.now, Value: &v}
	err := h.st.MoveAlerts(t.Context(), []string{o.Key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		return (&alert.House{Mode: alert.Show}).Move(before, []alert.Observation{o}, h.now)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.run(15 * time.Minute)
	h.expect("a good value arrived", "CO₂ is high: air", "Resolved: CO₂ is high: air")
}

// The clock of a call may be a little behind that of the call before: that is no pause. If it
// was set back by more, watching begins anew.
func TestAClockThatIsSetBack(t *testing.T) {
	h := start(t)
	h.run(10 * time.Minute)
	before, err := h.st.LastWatch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		back time.Duration
		anew bool
	}{{time.Second, false}, {time.Hour, true}} {
		h.now = h.now.Add(-c.back)
		h.call()
		w, err := h.st.LastWatch(t.Context())
		if anew := !w.Since.Equal(before.Since); err != nil || anew != c.anew || anew && !w.Last.Equal(h.now) {
			t.Errorf("%s back: %+v, %v", c.back, w, err)
		}
	}
}
