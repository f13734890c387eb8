package deadline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// TestAnEndIsToldAtEachStep follows an ending through the engine, an observation each six
// hours, and then its renewal.
func TestAnEndIsToldAtEachStep(t *testing.T) {
	end := time.Date(2027, 3, 1, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		begin time.Time
		want  []string
	}{
		"a date": {time.Time{}, []string{"fired 30 warning", "changed 14 warning", "changed 7 warning", "changed 3 warning", "changed 1 critical", "changed 0 critical", "resolved 90 warning"}},
		"a certificate of 90 days, which is renewed 30 days before its end": {end.AddDate(0, 0, -90),
			[]string{"fired 14 warning", "changed 7 warning", "changed 3 warning", "changed 1 critical", "changed 0 critical", "resolved 90 warning"}},
		"a certificate of a day": {end.AddDate(0, 0, -1), []string{"fired 0 critical", "resolved 90 warning"}},
	} {
		t.Run(name, func(t *testing.T) {
			h, spec, before := house(), alert.Spec{Rule: "certificate", Severity: alert.Warning}, map[string]alert.State{}
			var got []string
			for at := end.AddDate(0, 0, -60); !at.After(end.AddDate(0, 0, 2)); at = at.Add(6 * time.Hour) {
				e := Ending{Name: "router.lan", What: "The certificate of router.lan", Begin: c.begin, End: end}
				if at.Equal(end.AddDate(0, 0, 2)) {
					e.Begin, e.End = at, at.AddDate(0, 0, 90)
				}
				changed, ms := h.Move(before, []alert.Observation{e.Observe(spec, h, at)}, at)
				for _, s := range changed {
					before[s.Key] = s
				}
				for _, m := range ms {
					got = append(got, fmt.Sprintf("%s %.0f %s", m.What, *m.Alert.Value, m.Alert.Severity))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAnEndIsSaidAsAPersonWould(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, berlin)
	for want, end := range map[string]time.Time{
		"It ends in 12 days, on 9 December 2026.":  time.Date(2026, 12, 9, 0, 0, 0, 0, berlin),
		"It ends tomorrow, on 28 November 2026.":   time.Date(2026, 11, 28, 9, 0, 0, 0, berlin),
		"It ends today at 15:00.":                  time.Date(2026, 11, 27, 15, 0, 0, 0, berlin),
		"It ended on 27 November 2026.":            time.Date(2026, 11, 27, 11, 0, 0, 0, berlin),
		"It ends in 125 days, on 1 April 2027.":    time.Date(2027, 4, 1, 0, 0, 0, 0, berlin), // across the clock change
		"It ended on 1 November 2026.":             time.Date(2026, 11, 1, 11, 0, 0, 0, berlin),
		"It ends in 2 days, on 29 November 2026.":  time.Date(2026, 11, 29, 0, 30, 0, 0, berlin),
		"It ends in 30 days, on 27 December 2026.": time.Date(2026, 12, 27, 23, 59, 0, 0, berlin),
	} {
		if got := (Ending{What: "It", End: end}).Observe(alert.Spec{}, house(), now).Text; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
