package deadline

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

func TestARunIsOverdueAfterItsPeriodAndGrace(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, berlin)
	for _, c := range []struct {
		period, ago time.Duration
		want        alert.Verdict
	}{
		{15 * time.Minute, 20 * time.Minute, alert.Good}, {15 * time.Minute, 21 * time.Minute, alert.Bad},
		{time.Hour, 75 * time.Minute, alert.Good}, {time.Hour, 76 * time.Minute, alert.Bad},
		{12 * time.Hour, 13 * time.Hour, alert.Good}, {12 * time.Hour, 13*time.Hour + time.Minute, alert.Bad},
	} {
		f := store.Function{Name: "weather", Schedule: "x", Period: c.period, LastSeen: now.Add(-c.ago)}
		for _, last := range []time.Time{now.Add(-c.ago), {}} {
			if o := Overdue(alert.Spec{Rule: "source-overdue"}, f, last, house(), now); o.Verdict != c.want || o.Key != "source-overdue/weather" {
				t.Errorf("%s after a run that is due every %s: %+v", c.ago, c.period, o)
			}
		}
	}
}
