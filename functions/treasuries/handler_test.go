package function

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

const key = "AVK3Y0123456789"

// house is treasuries with a real store and both upstreams.
type house struct {
	t        *testing.T
	handler  http.Handler
	store    *store.Store
	logs     bytes.Buffer
	upstream *httptest.Server
	now      time.Time
	asked    atomic.Int64                                             // of all requests
	fail     func(w http.ResponseWriter, r *http.Request) (done bool) // answers instead, if set
}

func newHouse(t *testing.T, vars ...string) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h.store = st
	h.upstream = httptest.NewServer(http.HandlerFunc(h.answer))
	t.Cleanup(h.upstream.Close)
	secrets := t.TempDir()
	env := config.Env{
		Vars: map[string]string{
			"TREASURY_URL": h.upstream.URL + "/xml", "ALPHAVANTAGE_URL": h.upstream.URL + "/query", "ALPHAVANTAGE_PAUSE": "1ms",
		},
		Secrets: secret.NewFolder(secrets),
		Now:     func() time.Time { return h.now },
		Open:    func(context.Context) (*store.Store, error) { return st, nil },
	}
	env.Log = config.Logger(&h.logs, env.Secrets)
	for i := 0; i+1 < len(vars); i += 2 {
		if vars[i] == "key" {
			if err := os.WriteFile(filepath.Join(secrets, "alphavantage-key"), []byte(vars[i+1]), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		env.Vars[vars[i]] = vars[i+1]
	}
	if h.handler, err = New(env); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) answer(w http.ResponseWriter, r *http.Request) {
	h.asked.Add(1)
	if h.fail != nil && h.fail(w, r) {
		return
	}
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
	w.Write(yearFile(year, func(d time.Time) bool { return !d.After(h.now) }))
}

func (h *house) call(query string, header ...string) (source.Answer, *httptest.ResponseRecorder) {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/?"+query, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	var a source.Answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		h.t.Fatalf("answer %q: %v", w.Body, err)
	}
	if s := w.Body.String() + h.logs.String(); strings.Contains(s, key) {
		h.t.Errorf("the key shows in %s", s)
	}
	return a, w
}

// backfill calls until there is no next, as make backfill does.
func (h *house) backfill(from, to string) (stored int) {
	h.t.Helper()
	for range 20 {
		a, w := h.call("from=" + from + "&to=" + to)
		if w.Code != http.StatusOK || a.Status != "ok" {
			h.t.Fatalf("backfill from %s: %d %s", from, w.Code, w.Body)
		}
		stored += a.Stored
		if from = a.Next; from == "" {
			return stored
		}
	}
	h.t.Fatal("the backfill does not end")
	return 0
}

// stored returns the yields in the store by maturity and day; two of one day
// are an error.
func (h *house) stored(name string) map[string]float64 {
	h.t.Helper()
	rs, err := h.store.Between(h.t.Context(), name, nil, date("1960-01-01"), date("2030-01-01"))
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[string]float64{}
	for _, r := range rs {
		k := r.Tags["maturity"] + " " + r.Time.Format(time.DateOnly)
		if _, twice := out[k]; twice {
			h.t.Errorf("%s is stored twice", k)
		}
		out[k] = r.Fields["yield_percent"]
	}
	return out
}

// since is when the younger maturities began.
var since = map[string]string{"1.5m": "2025-02-18", "2m": "2018-10-16", "4m": "2022-10-19"}

// expected is what yearFile has from one day to before another.
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

// yield differs from day to day and from maturity to maturity.
func yield(d time.Time, tenor int) float64 {
	y, _ := strconv.ParseFloat(yieldText(d, tenor), 64)
	return y
}

func yieldText(d time.Time, tenor int) string {
	return fmt.Sprintf("%d.%02d", 1+tenor%10, d.YearDay()%100)
}

// yearFile is a year of the feed in the form of testdata/2025.xml.
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
