package alert

import (
	"testing"
	"time"
)

// TestQuietHours: the end of quiet hours and the end of a silence until morning, in the
// zone of the house, over clock changes, midnight, spans that touch and days of the week.
func TestQuietHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	hours := func(from, to float64, days ...time.Weekday) QuietHours {
		return QuietHours{time.Duration(from * float64(time.Hour)), time.Duration(to * float64(time.Hour)), days}
	}
	night, weekend := hours(22, 7), hours(7, 10, time.Saturday, time.Sunday)
	for _, c := range []struct {
		name                string
		hours               []QuietHours
		now, until, morning string // local; until "": there are none now
	}{
		{"none", nil, "2026-11-23 03:00", "", "2026-11-23 07:00"},
		{"none, after seven", nil, "2026-11-23 07:00", "", "2026-11-24 07:00"},
		{"before they begin", []QuietHours{night}, "2026-11-23 21:59", "", "2026-11-24 07:00"},
		{"as they begin", []QuietHours{night}, "2026-11-23 22:00", "2026-11-24 07:00", "2026-11-24 07:00"},
		{"after midnight", []QuietHours{night}, "2026-11-24 06:59", "2026-11-24 07:00", "2026-11-24 07:00"},
		{"as they end", []QuietHours{night}, "2026-11-24 07:00", "", "2026-11-25 07:00"},
		{"spans that touch are one", []QuietHours{night, weekend}, "2026-11-28 03:00", "2026-11-28 10:00", "2026-11-28 10:00"},
		{"also for the morning", []QuietHours{night, weekend}, "2026-11-27 15:00", "", "2026-11-28 10:00"},
		{"two a day", []QuietHours{hours(13, 15), night}, "2026-11-23 12:00", "", "2026-11-23 15:00"},
		{"the night after Friday begins on Friday", []QuietHours{hours(22, 7, time.Friday)}, "2026-11-28 03:00", "2026-11-28 07:00", "2026-11-28 07:00"},
		{"not the night before", []QuietHours{hours(22, 7, time.Saturday)}, "2026-11-28 03:00", "", "2026-11-29 07:00"},
		{"next week", []QuietHours{hours(13, 15, time.Monday)}, "2026-11-23 15:30", "", "2026-11-30 15:00"},
		{"midnight to midnight on one day", []QuietHours{hours(0, 24, time.Sunday)}, "2026-11-29 12:00", "2026-11-30 00:00", "2026-11-30 00:00"},
		{"a night with 25 hours in its day", []QuietHours{night}, "2026-10-24 23:00", "2026-10-25 07:00", "2026-10-25 07:00"},
		{"a night with 23 hours in its day", []QuietHours{night}, "2026-03-28 23:00", "2026-03-29 07:00", "2026-03-29 07:00"},
		{"an end that the clock leaves out", []QuietHours{hours(22, 2.5)}, "2026-03-28 23:00", "2026-03-29 03:30", "2026-03-29 03:30"},
		{"a begin that the clock leaves out", []QuietHours{hours(2.5, 7)}, "2026-03-29 03:15", "", "2026-03-29 07:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parse := func(s string) time.Time {
				at, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			h := House{Zone: berlin, QuietHours: c.hours}
			var until time.Time
			if c.until != "" {
				until = parse(c.until)
			}
			if got := h.QuietUntil(parse(c.now)); !got.Equal(until) {
				t.Errorf("quiet until %s, want %s", got, until)
			}
			if got, want := h.Morning(parse(c.now)), parse(c.morning); !got.Equal(want) {
				t.Errorf("morning is %s, want %s", got, want)
			}
		})
	}
}

func TestAlwaysQuietHoursHaveASevenOClock(t *testing.T) {
	for _, hours := range [][]QuietHours{{{0, 24 * time.Hour, nil}}, {{22 * time.Hour, 22 * time.Hour, nil}}, {{22 * time.Hour, 7 * time.Hour, nil}, {7 * time.Hour, 22 * time.Hour, nil}}} {
		h := House{QuietHours: hours}
		if got := h.QuietUntil(t0); !got.After(t0.AddDate(0, 0, 7)) {
			t.Errorf("%v: quiet until %s", hours, got)
		}
		if got, want := h.Morning(t0), time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC); !got.Equal(want) {
			t.Errorf("%v: morning is %s, want %s", hours, got, want)
		}
	}
}
