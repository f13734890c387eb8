package main

import (
	"testing"
	"time"
)

func TestASpanEndsTodayByDefault(t *testing.T) {
	now := time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", -5*3600))
	for _, c := range []struct{ from, to, first, last string }{
		{"2024-01-31", "", "2024-01-31T00:00:00Z", "2026-11-24T00:00:00Z"}, // by UTC
		{"2024-01-31", "2024-02-01", "2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z"},
		{"2024-01-31T12:00:00Z", "2024-02-01", "2024-01-31T12:00:00Z", "2024-02-01T00:00:00Z"}, // where one stopped
	} {
		first, last, err := span(c.from, c.to, now)
		if err != nil || first.Format(time.RFC3339) != c.first || last.Format(time.RFC3339) != c.last {
			t.Errorf("%+v: %v, %v, %v", c, first, last, err)
		}
	}
	for _, c := range [][2]string{{"", ""}, {"2024-1-31", ""}, {"2024-01-31", "soon"}, {"2024-01-31", "2024-01-30"}} {
		if _, _, err := span(c[0], c[1], now); err == nil {
			t.Errorf("%q was accepted", c)
		}
	}
}
