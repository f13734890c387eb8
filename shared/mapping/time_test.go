package mapping

import (
	"testing"
	"time"
)

// TestLocalTimesAroundAChangeOfTheClocks writes times in UTC as day hour:minute.
func TestLocalTimesAroundAChangeOfTheClocks(t *testing.T) {
	const layout = "2006-01-02 15:04"
	for _, tc := range []struct{ zone, local, want, earlier string }{
		{"Europe/Berlin", "2026-10-25 01:59", "2026-10-24 23:59", ""},
		{"Europe/Berlin", "2026-10-25 02:00", "2026-10-25 01:00", "2026-10-25 00:00"},
		{"Europe/Berlin", "2026-10-25 02:59", "2026-10-25 01:59", "2026-10-25 00:59"},
		{"Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00", ""},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01 06:30", "2026-11-01 05:30"},
		{"Australia/Sydney", "2026-04-05 02:30", "2026-04-04 16:30", "2026-04-04 15:30"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 15:15", "2026-04-04 14:45"},
		{"Australia/Lord_Howe", "2026-04-05 01:15", "2026-04-04 14:15", ""},
		{"Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59", ""},
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30", "2026-03-29 00:30"}, // by a clock that was not set forward, and by one that was too early
		{"Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00", ""},
		{"America/Los_Angeles", "2026-03-08 02:30", "2026-03-08 10:30", "2026-03-08 09:30"},
		{"Asia/Kolkata", "2026-03-29 02:30", "2026-03-28 21:00", ""},
		{"UTC", "2026-10-25 02:30", "2026-10-25 02:30", ""},
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ParseMoment(tc.local, zone)
		earlier := ""
		if !m.Earlier.IsZero() {
			earlier = m.Earlier.Format(layout)
		}
		if err != nil || m.Time.Format(layout) != tc.want || earlier != tc.earlier || m.Time.Location() != time.UTC {
			t.Errorf("%s in %s: %v, earlier %q, %v, want %s, earlier %q", tc.local, tc.zone, m.Time, earlier, err, tc.want, tc.earlier)
		}
	}
}

func TestATimeWithItsOffsetIsOneMoment(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]string{"2026-10-25T02:30:00+02:00": "00:30", "2026-10-25T02:30:00+0100": "01:30", "2026-10-25 01:30:00Z": "01:30", "1792891800": "01:30"} {
		if m, err := ParseMoment(s, berlin); err != nil || m.Time.Format("15:04") != want || !m.Earlier.IsZero() {
			t.Errorf("%s: %+v, %v", s, m, err)
		}
	}
}

// FuzzLocalTime reads what the clocks of a zone show at any moment: one of the two
// moments is that one.
func FuzzLocalTime(f *testing.F) {
	names := []string{"Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll", "Asia/Kathmandu"}
	for i := range names {
		f.Add(int64(1792891800), i)
	}
	f.Fuzz(func(t *testing.T, unix int64, of int) {
		const most = 1 << 36 // the year 4147
		at := time.Unix(unix%most, 0)
		zone, err := time.LoadLocation(names[uint(of)%uint(len(names))])
		if err != nil {
			t.Fatal(err)
		}
		shown := at.In(zone)
		if _, seconds := shown.Zone(); seconds%60 != 0 || shown.Year() < 1900 {
			return // local mean time
		}
		m, err := ParseMoment(shown.Format("2006-01-02T15:04:05"), zone)
		if err != nil || !m.Time.Equal(at) && !m.Earlier.Equal(at) || !m.Nearest(at).Equal(at) || !m.Earlier.IsZero() && (!m.Twice || !m.Earlier.Before(m.Time)) {
			t.Errorf("%s: %+v, %v", shown, m, err)
		}
	})
}
