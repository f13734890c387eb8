package main

import (
	"strings"
	"testing"
	"time"
)

func TestASpanEndsTodayByDefault(t *testing.T) {
	now := time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", -5*3600))
	for _, c := range []struct{ from, to, first, last, note string }{
		{"2024-01-31", "", "2024-01-31T00:00:00Z", "2026-11-24T00:00:00Z", ""}, // by UTC
		{"2024-01-31", "2024-02-01", "2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z", ""},
		{"2024-01-31T12:00:00Z", "2024-02-01", "2024-01-31T12:00:00Z", "2024-02-01T00:00:00Z", ""}, // where one stopped
		{"2026-11-24T03:00:00Z", "", "2026-11-24T03:00:00Z", "2026-11-24T00:00:00Z", ""},           // where one stopped today
		{"2024-01-31T12:00:00Z", "2024-01-31", "2024-01-31T12:00:00Z", "2024-01-31T00:00:00Z", ""},
		{"2024-01-31", "2026-11-24", "2024-01-31T00:00:00Z", "2026-11-24T00:00:00Z", ""},
		{"2024-01-31", "2099-01-05", "2024-01-31T00:00:00Z", "2026-11-24T00:00:00Z", "--to 2099-01-05 is after today: it ends today, 2026-11-24"},
	} {
		first, last, note, err := span(c.from, c.to, now)
		if err != nil || note != c.note || first.Format(time.RFC3339) != c.first || last.Format(time.RFC3339) != c.last {
			t.Errorf("%+v: %v, %v, %v", c, first, last, err)
		}
	}
	for want, c := range map[string][2]string{
		"from which day?":                            {"", ""},
		"write a day":                                {"2024-1-31", ""},
		`--to is "soon"`:                             {"2024-01-31", "soon"},
		"--to 2024-01-30 is before --from":           {"2024-01-31", "2024-01-30"},
		"--to 2024-01-31T11:00:00Z is before":        {"2024-01-31T12:00:00Z", "2024-01-31T11:00:00Z"},
		"--from 0001-01-01 is before 1900":           {"0001-01-01", "0001-01-05"},
		"--to 1899-12-31T00:00:00Z is before 1900":   {"1900-01-01", "1899-12-31T00:00:00Z"},
		"--from 2030-01-01 is after today, 2026-11-": {"2030-01-01", ""},
		"--from 2030-01-02 is after today":           {"2030-01-02", "2030-01-01"},
	} {
		if _, _, _, err := span(c[0], c[1], now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", c, err, want)
		}
	}
}
