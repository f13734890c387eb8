package function

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

func date(s string) time.Time {
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return at
}

// The file has a day from before the 1.5-month maturity, a day with null and empty
// elements and a yield of 0, and two holidays. All have BC_30YEARDISPLAY.
func TestDecodeCurve(t *testing.T) {
	c, err := decodeCurve(sourcetest.File(t, "2025.xml"), 2025)
	if err != nil || len(c.odd.list) > 0 {
		t.Fatal(err, c.odd)
	}
	var rs []reading.Reading
	for _, tenor := range tenors {
		rs = append(rs, readings(c.days, tenor, source.Window{From: date("2025-01-01"), To: date("2026-01-01")})...)
	}
	golden.Readings(t, "testdata/2025.lp", rs)
}

func TestDecodeCurveOfAYearWithoutADay(t *testing.T) {
	c, err := decodeCurve(sourcetest.File(t, "empty.xml"), 2026)
	if err != nil || len(c.days)+len(c.odd.list) != 0 {
		t.Errorf("decodeCurve() = %v, %v; want no day and no error", c, err)
	}
}

func TestDecodeCurveRefuses(t *testing.T) {
	good := string(sourcetest.File(t, "2025.xml"))
	for name, body := range map[string]string{
		"empty":           "",
		"HTML":            "<!DOCTYPE html><html><body>Request rejected</body></html>",
		"the page in pre": "<pre>" + good + "</pre>",
		"JSON":            `{"error":"gone"}`,
		"truncated":       good[:len(good)*2/3],
		"no dates":        strings.ReplaceAll(good, "NEW_DATE", "DATE"),
		"other dates":     regexp.MustCompile(`(\d+)-(\d+)-(\d+)T00:00:00<`).ReplaceAllString(good, "$2/$3/$1<"),
		"times of day":    strings.ReplaceAll(good, "T00:00:00<", "T15:30:00<"),
		"another year":    strings.ReplaceAll(good, "2025-", "2024-"),
		"words":           regexp.MustCompile(`>\d+\.\d+<`).ReplaceAllString(good, ">four<"),
	} {
		t.Run(name, func(t *testing.T) {
			if days, err := decodeCurve([]byte(body), 2025); err == nil {
				t.Errorf("decodeCurve() = %v, want an error", days)
			}
		})
	}
}

// One odd entry or yield costs itself, with a warning for the maturities that it concerns.
func TestAnOddEntryOfTheCurveCostsItself(t *testing.T) {
	good := string(sourcetest.File(t, "2025.xml"))
	whole, err := decodeCurve([]byte(good), 2025)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body    string
		days    int // that are left out
		warning string
	}{
		"no date":            {strings.Replace(good, "NEW_DATE", "DATE", 2), 1, `the date is ""`},
		"another date":       {strings.Replace(good, "2025-01-02T00:00:00", "01/02/2025", 1), 1, "01/02/2025"},
		"a time of day":      {strings.Replace(good, "2025-01-02T00:00:00", "2025-01-02T15:30:00", 1), 1, "not a day of 2025"},
		"another year's day": {strings.Replace(good, "2025-01-02T00:00:00", "2024-01-02T00:00:00", 1), 1, "not a day of 2025"},
		"a changed type":     {strings.Replace(good, ">4.57<", ">4.57 %<", 1), 0, `"4.57 %", not a number`},
		"no number":          {strings.Replace(good, ">4.57<", ">NaN<", 1), 0, `"NaN", not a number`},
		"N/A":                {strings.Replace(good, ">4.57<", ">N/A<", 1), 0, ""},
		"null":               {strings.Replace(good, ">4.57<", " m:null=\"TRUE\">4.57<", 1), 0, ""},
		"an odd null":        {strings.Replace(good, ">4.57<", " m:null=\"yes\"><", 1), 0, ""},
		"null is not said":   {strings.Replace(good, ">4.57<", " m:null=\"\">4.57<", 1), 0, ""},
		"ND":                 {strings.Replace(good, ">4.57<", "> ND <", 1), 0, ""},
	} {
		got, err := decodeCurve([]byte(c.body), 2025)
		if err != nil || len(got.days) != len(whole.days)-c.days {
			t.Errorf("%s: %d days, %v; want %d", name, len(got.days), err, len(whole.days)-c.days)
		}
		var all []string
		for _, tenor := range tenors {
			all = append(all, got.odd.warnings(tenor.element)...)
		}
		if joined := strings.Join(all, "\n"); (c.warning == "") != (joined == "") || !strings.Contains(joined, c.warning) || c.days == 0 && len(all) > 1 {
			t.Errorf("%s: warnings %q, want %q", name, all, c.warning)
		}
	}
}

func TestReadingsAreInTheWindow(t *testing.T) {
	c, err := decodeCurve(sourcetest.File(t, "2025.xml"), 2025)
	if err != nil {
		t.Fatal(err)
	}
	rs := readings(c.days, tenor{"2y", "BC_2YEAR"}, source.Window{From: date("2025-02-18"), To: date("2025-02-19")})
	if len(rs) != 1 || !rs[0].Time.Equal(date("2025-02-18")) {
		t.Errorf("readings() = %v, want the window's first day, not its end", rs)
	}
}

func FuzzDecodeCurve(f *testing.F) {
	f.Add(sourcetest.File(f, "2025.xml"))
	f.Add(sourcetest.File(f, "empty.xml"))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := decodeCurve(body, 2025)
		for _, d := range c.days {
			if err != nil || d.time.Year() != 2025 || len(d.yields) == 0 {
				t.Fatalf("a day %v with error %v", d, err)
			}
			for element, y := range d.yields {
				if math.IsNaN(y) || math.IsInf(y, 0) || element == "BC_30YEARDISPLAY" {
					t.Fatalf("%s: %s is %v", d.time, element, y)
				}
			}
		}
	})
}

func BenchmarkDecodeCurve(b *testing.B) {
	body := yearFile(2024, nil)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := decodeCurve(body, 2024); err != nil {
			b.Fatal(err)
		}
	}
}
