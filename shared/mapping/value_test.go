package mapping

import (
	"math"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"1795435200": noon, "1795435200000": noon, "1795435200000000": noon, "1795435200000000001": noon.Add(1), "1795435200.25": noon.Add(250 * time.Millisecond),
		"2026-11-23T12:00:00Z": noon, "2026-11-23T13:00:00+01:00": noon, "2026-11-23T12:00:00": noon, "2026-11-23 12:00:00": noon,
		"2026-11-23T13:00:00+0100": noon, "2026-11-23T12:00:00,25Z": noon.Add(250 * time.Millisecond), "2026-11-23 04:00:00.25 -0800": noon.Add(250 * time.Millisecond), "2026-11-23T12:00Z": noon, "2026-11-23 12:00": noon,
		"2026-11-23T12:00:00+00": noon, "2026-11-23 07:00:00.25-05": noon.Add(250 * time.Millisecond), "2026-11-23 12:00:00 UTC": noon, "2026-11-23T12:00:00 UTC": noon, "20261123T120000Z": noon, "20261123T130000+0100": noon,
		"20261123T120000": noon, "2026/11/23 12:00:00": noon, "Mon Nov 23 12:00:00 2026": noon, "Mon, 23 Nov 2026 12:00:00 GMT": noon, "Mon, 23 Nov 2026 07:00:00 -0500": noon,
		"23.11.2026 12:00:00": noon, "23.11.2026 12:00": noon, "11/23/2026 12:00:00": {}, "12:00:00": {}, "2026-11-23": {}, "Mon, 23 Nov 2026 12:00:00 PST": {}, // by the day's order, the day or the zone they may be others
		"1.7954352e9": noon, "1795435200.000": noon, "1795435200000.5": noon.Add(500 * time.Microsecond), "-Inf": {}, "Infinity": {}, "99999999999999999999": {},
		"": {}, "soon": {}, "NaN": {}, "1e300": {}, "-1e300": {}, "-99999999999999": {}, "2026-00-": {}, "0000-00-00 soon": {},
		"0": time.Unix(0, 0), "-5": time.Unix(-5, 0), "7": time.Unix(7, 0), "0.5": time.Unix(0, 5e8), "1970-01-01T00:00:07": time.Unix(7, 0), "0000-00-00T00:00:00": time.Unix(0, 0), "2000-00-00 00:00:00": time.Unix(0, 0),
	} {
		got, err := ParseTime(s, time.UTC)
		if !got.Equal(want) || (err != nil) != want.IsZero() {
			t.Errorf("%q: %v, %v, want %v", s, got, err, want)
		}
	}
}

// FuzzParseTime parses any text: a time that it returns parses again to the same.
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"1795435200", "1795435200.25", "2026-11-23T12:00:00+0100", "2026-11-23 12:00", "1e18", "-0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTime(s, time.UTC)
		if err != nil {
			return
		}
		again, err := ParseTime(got.Format(time.RFC3339Nano), time.UTC)
		if y := got.Year(); got.Location() != time.UTC || y >= 0 && y <= 9999 && (err != nil || !again.Equal(got)) {
			t.Fatalf("%q: %v, again %v, %v", s, got, again, err)
		}
	})
}

// FuzzNumber parses any value: it returns a finite number, nothing or an error.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{`"21,5"`, `1e999`, `"on"`, `true`, `"0x1p-2"`, `" "`, `{}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, _, ok, err := number(raw, defaultWords)
		if ok && (math.IsNaN(v) || math.IsInf(v, 0)) || err != nil && ok {
			t.Fatalf("%q: %v, %v, %v", raw, v, ok, err)
		}
		Text(raw)
	})
}
