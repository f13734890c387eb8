package function

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/sourcetest"
)

const key = "AVK3Y0123456789"

func vars(more ...string) sourcetest.Vars {
	v := sourcetest.Vars{"TREASURY_URL": "http://upstream/xml", "ALPHAVANTAGE_URL": "http://upstream/query", "ALPHAVANTAGE_PAUSE": "1ms"}
	for i := 0; i+1 < len(more); i += 2 {
		v[more[i]] = more[i+1]
	}
	return v
}

// noon is after the newest day of testdata/10year.json.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// start returns a fixture without a key of Alpha Vantage. more has pairs of a setting and
// its value.
func start(t *testing.T, more ...string) *sourcetest.Fixture {
	t.Helper()
	return sourcetest.Start(t, noon, New, vars(more...), nil, upstreams)
}

func startWithKey(t *testing.T, more ...string) *sourcetest.Fixture {
	t.Helper()
	return sourcetest.Start(t, noon, New, vars(more...), sourcetest.Secrets{"alphavantage-key": key}, upstreams)
}

// upstreams answers as the Treasury and as Alpha Vantage, with the data up to noon.
func upstreams(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/query" {
		maturity := strings.NewReplacer("y", "-Y", "m", "-M").Replace(r.FormValue("maturity"))
		body, _ := os.ReadFile("testdata/10year.json")
		w.Write(bytes.ReplaceAll(body, []byte("10-Year"), []byte(maturity)))
		return
	}
	year, err := strconv.Atoi(r.FormValue("field_tdr_date_value"))
	if err != nil || r.FormValue("data") != "daily_treasury_yield_curve" {
		http.Error(w, "unknown data", http.StatusBadRequest)
		return
	}
	w.Write(yearFile(year, func(d time.Time) bool { return !d.After(noon) }))
}

// but answers with answer if a request's URL contains part, otherwise as upstreams does.
func but(part string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.String(), part) {
			answer(w, r)
		} else {
			upstreams(w, r)
		}
	}
}

// backfill calls the source until the answer has no next, as make backfill does. It
// returns the number of stored readings.
func backfill(t *testing.T, h *sourcetest.Fixture, from, to string) (n int) {
	t.Helper()
	for range 20 {
		a, w := h.Post("from=" + from + "&to=" + to)
		if w.Code != http.StatusOK || a.Status != "ok" {
			t.Fatalf("backfill from %s: %d %s", from, w.Code, w.Body)
		}
		n += a.Stored
		if from = a.Next; from == "" {
			return n
		}
	}
	t.Fatal("the backfill does not end")
	return 0
}

// stored returns the stored yields by maturity and day. It fails the test if there are two
// for one day.
func stored(t *testing.T, h *sourcetest.Fixture, name string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, r := range h.Readings(name) {
		k := r.Tags["maturity"] + " " + r.Time.Format(time.DateOnly)
		if _, twice := out[k]; twice {
			t.Errorf("%s is stored twice", k)
		}
		out[k] = r.Fields["yield_percent"]
	}
	return out
}

// since has the first day of the younger maturities.
var since = map[string]string{"1.5m": "2025-02-18", "2m": "2018-10-16", "4m": "2022-10-19"}

// expected returns the yields of yearFile from one day until the day before another.
func expected(from, to string) map[string]float64 {
	out := map[string]float64{}
	for d := date(from); d.Before(date(to)); d = d.AddDate(0, 0, 1) {
		for i, tenor := range tenors {
			if isWeekday(d) && d.Format(time.DateOnly) >= since[tenor.maturity] {
				out[tenor.maturity+" "+d.Format(time.DateOnly)] = yield(d, i)
			}
		}
	}
	return out
}

func isWeekday(d time.Time) bool {
	return d.Weekday() != time.Saturday && d.Weekday() != time.Sunday
}

// yield returns a yield that differs between days and between maturities.
func yield(d time.Time, tenor int) float64 {
	y, _ := strconv.ParseFloat(yieldText(d, tenor), 64)
	return y
}

func yieldText(d time.Time, tenor int) string {
	return fmt.Sprintf("%d.%02d", 1+tenor%10, d.YearDay()%100)
}

// yearFile returns a year of the feed, in the form of testdata/2025.xml. It has the
// weekdays for which want is true; nil means all.
func yearFile(year int, want func(time.Time) bool) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<feed xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" xmlns="http://www.w3.org/2005/Atom">
<title type="text">DailyTreasuryYieldCurveRateData</title>`)
	for d := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
		if !isWeekday(d) || want != nil && !want(d) {
			continue
		}
		fmt.Fprintf(&b, `<entry><title type="text"></title><author><name /></author><content type="application/xml"><m:properties><d:NEW_DATE m:type="Edm.DateTime">%s</d:NEW_DATE>`, d.Format("2006-01-02T15:04:05"))
		for i, tenor := range tenors {
			if d.Format(time.DateOnly) >= since[tenor.maturity] {
				fmt.Fprintf(&b, `<d:%s m:type="Edm.Double">%s</d:%[1]s>`, tenor.element, yieldText(d, i))
			}
		}
		b.WriteString(`<d:BC_30YEARDISPLAY m:type="Edm.Double">0</d:BC_30YEARDISPLAY></m:properties></content></entry>`)
	}
	b.WriteString(`</feed>`)
	return b.Bytes()
}
