package catalogue

import (
	"testing"
	"time"
)

func TestCheckTimeNamesTheBoundsAndNow(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	year2000 := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	forecast := Measurement{Name: "forecast", Ahead: 48 * time.Hour, Since: year2000.AddDate(20, 0, 0)}
	yields, day := Measurement{Name: "yields", Day: true}, time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		check func(t, now time.Time) error
		at    time.Time
		want  string
	}{
		{CheckTime, now, ""},
		{CheckTime, now.Add(5 * time.Minute), ""},
		{CheckTime, now.Add(5*time.Minute + 1), "the time 2026-06-01T12:05:00.000000001Z is outside 2000-01-01T00:00:00Z to 2026-06-01T12:05:00Z (now 2026-06-01T12:00:00Z)"},
		{CheckTime, year2000, ""},
		{CheckTime, year2000.Add(-1), "the time 1999-12-31T23:59:59.999999999Z is outside 2000-01-01 to 2026-06-01 (now 2026-06-01)"},
		{(&Measurement{Name: "air"}).CheckTime, year2000, ""},
		{(&Measurement{Name: "air"}).CheckTime, year2000.Add(-1), "air: the time 1999-12-31T23:59:59.999999999Z is outside 2000-01-01 to 2026-06-01 (now 2026-06-01)"},
		{forecast.CheckTime, now.Add(48*time.Hour + 5*time.Minute), ""},
		{forecast.CheckTime, now.Add(48*time.Hour + 5*time.Minute + 1), "forecast: the time 2026-06-03T12:05:00.000000001Z is outside 2020-01-01T00:00:00Z to 2026-06-03T12:05:00Z (now 2026-06-01T12:00:00Z)"},
		{forecast.CheckTime, year2000.AddDate(20, 0, -1), "forecast: the time 2019-12-31T00:00:00Z is outside 2020-01-01 to 2026-06-03 (now 2026-06-01)"},
		{yields.CheckTime, day, ""},
		{yields.CheckTime, day.In(time.FixedZone("", -8*3600)), ""},
		{yields.CheckTime, day.Add(time.Second), "yields: the time 2026-05-31T00:00:01Z is not 00:00 UTC of a day"},
		{yields.CheckTime, time.Date(2026, 5, 31, 0, 0, 0, 0, time.FixedZone("", 2*3600)), "yields: the time 2026-05-30T22:00:00Z is not 00:00 UTC of a day"},
	} {
		got := ""
		if err := tc.check(tc.at, now); err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.at, got, tc.want)
		}
	}
}
