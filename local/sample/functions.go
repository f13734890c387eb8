package sample

import (
	"fmt"
	"math"
	"net/url"
	"text/template"
	"time"
)

// step is how often samples change. A rerun within a step finds nothing new.
const step = 5 * time.Minute

// functions returns the functions that templates can call:
//
//	now                       the time, UTC, in steps of 5 minutes
//	ago "15m"                 the time 15 minutes before now
//	unix T, rfc3339 T, rfc1123 T, date "2006-01-02" T
//	query "symbol"            the value of a parameter in the URL's query
//	path                      the segments of the path
//	wave BASE AMPLITUDE "6h"  a number around BASE that changes with the time; "6h" is the period
//	waveAt T BASE AMPLITUDE "6h"  the same, at time T
//	days N                    the last N weekdays before today, newest first
func functions(now time.Time, query url.Values, segments []string) template.FuncMap {
	now = now.UTC().Truncate(step)
	return template.FuncMap{
		"now": func() time.Time { return now },
		"ago": func(d string) (time.Time, error) {
			v, err := time.ParseDuration(d)
			return now.Add(-v), err
		},
		"unix":    time.Time.Unix,
		"rfc3339": func(t time.Time) string { return t.Format(time.RFC3339) },
		"rfc1123": func(t time.Time) string { return t.UTC().Format(time.RFC1123Z) },
		"date":    func(layout string, t time.Time) string { return t.Format(layout) },
		"query":   query.Get,
		"path":    func() []string { return segments },
		"wave": func(base, amplitude float64, period string) (float64, error) {
			return wave(now, base, amplitude, period)
		},
		"waveAt": wave,
		"days":   func(n int) []time.Time { return weekdays(now, n) },
	}
}

// wave is a sum of two sines with an irrational ratio of periods, so that no two days are
// alike.
func wave(t time.Time, base, amplitude float64, period string) (float64, error) {
	p, err := time.ParseDuration(period)
	if err != nil || p <= 0 {
		return 0, fmt.Errorf("wave: %q is no period such as \"6h\"", period)
	}
	angle := 2 * math.Pi * float64(t.Unix()) / p.Seconds()
	v := base + amplitude*(0.75*math.Sin(angle)+0.25*math.Sin(angle/math.Phi))
	return math.Round(v*100) / 100, nil
}

func weekdays(now time.Time, n int) []time.Time {
	var out []time.Time
	for day := now.Truncate(24*time.Hour).AddDate(0, 0, -1); len(out) < n; day = day.AddDate(0, 0, -1) {
		if d := day.Weekday(); d != time.Saturday && d != time.Sunday {
			out = append(out, day)
		}
	}
	return out
}
