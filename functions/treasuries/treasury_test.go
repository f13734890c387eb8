package function

import (
	"math"
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
	days, err := decodeCurve(sourcetest.File(t, "2025.xml"), 2025)
	if err != nil {
		t.Fatal(err)
	}
	var rs []reading.Reading
	for _, tenor := range tenors {
		rs = append(rs, readings(days, tenor, source.Window{From: date("2025-01-01"), To: date("2026-01-01")})...)
	}
	golden.Readings(t, "testdata/2025.lp", rs)
}

func TestDecodeCurveOfAYearWithoutADay(t *testing.T) {
	days, err := decodeCurve(sourcetest.File(t, "empty.xml"), 2026)
	if err != nil || len(days) != 0 {
		t.Errorf("decodeCurve() = %v, %v; want no day and no error", days, err)
	}
}

func TestDecodeCurveRefuses(t *testing.T) {
	good := string(sourcetest.File(t, "2025.xml"))
	for name, body := range map[string]string{
		"empty":              "",
		"HTML":               "<!DOCTYPE html><html><body>Request rejected</body></html>",
		"the page in pre":    "<pre>" + good + "</pre>",
		"JSON":               `{"error":"gone"}`,
		"truncated":          good[:len(good)*2/3],
		"no date":            strings.Replace(good, "NEW_DATE", "DATE", 2),
		"another date":       strings.Replace(good, "2025-01-02T00:00:00", "01/02/2025", 1),
		"a time of day":      strings.Replace(good, "2025-01-02T00:00:00", "2025-01-02T15:30:00", 1),
		"another year's day": strings.Replace(good, "2025-01-02T00:00:00", "2024-01-02T00:00:00", 1),
		"a changed type":     strings.Replace(good, ">4.57<", ">4.57 %<", 1),
		"no number":          strings.Replace(good, ">4.57<", ">NaN<", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if days, err := decodeCurve([]byte(body), 2025); err == nil {
				t.Errorf("decodeCurve() = %v, want an error", days)
			}
		})
	}
}

func TestReadingsAreInTheWindow(t *testing.T) {
	days, err := decodeCurve(sourcetest.File(t, "2025.xml"), 2025)
	if err != nil {
		t.Fatal(err)
	}
	rs := readings(days, tenor{"2y", "BC_2YEAR"}, source.Window{From: date("2025-02-18"), To: date("2025-02-19")})
	if len(rs) != 1 || !rs[0].Time.Equal(date("2025-02-18")) {
		t.Errorf("readings() = %v, want the window's first day, not its end", rs)
	}
}

func FuzzDecodeCurve(f *testing.F) {
	f.Add(sourcetest.File(f, "2025.xml"))
	f.Add(sourcetest.File(f, "empty.xml"))
	f.Fuzz(func(t *testing.T, body []byte) {
		days, err := decodeCurve(body, 2025)
		for _, d := range days {
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
