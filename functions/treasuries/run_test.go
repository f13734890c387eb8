package function

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestNowFillsAMonthWithOneQuestion(t *testing.T) {
	h := newHouse(t)
	want := expected("2026-10-24", "2026-11-24") // from after noon of the 23rd
	a, w := h.call("")
	if w.Code != http.StatusOK || a.Stored != len(want) || !maps.Equal(h.stored("treasury_yield"), want) {
		t.Errorf("first run: %d %s; want %d yields", w.Code, w.Body, len(want))
	}
	if n := h.asked.Load(); n != 1 {
		t.Errorf("%d requests, want 1 for all maturities", n)
	}
	if a, w = h.call(""); w.Code != http.StatusOK || a.Stored != 0 || a.Unchanged != len(want) {
		t.Errorf("rerun: %d %s; want nothing stored", w.Code, w.Body)
	}
}

func TestNowInANewYearAsksTheOldOneToo(t *testing.T) {
	h := newHouse(t)
	h.now = time.Date(2027, 1, 1, 0, 30, 0, 0, time.UTC) // no day of 2027 is out
	h.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if r.FormValue("field_tdr_date_value") != "2027" {
			return false
		}
		w.Write(yearFile(2027, func(time.Time) bool { return false }))
		return true
	}
	want := expected("2026-12-02", "2027-01-01")
	if a, w := h.call(""); a.Status != "ok" || !maps.Equal(h.stored("treasury_yield"), want) {
		t.Errorf("%d %s; want %d yields", w.Code, w.Body, len(want))
	}
}

func TestBackfillOfFiveYearsIsExact(t *testing.T) {
	h := newHouse(t)
	want := expected("2021-01-01", "2026-01-01")
	if n := h.backfill("2021-01-01", "2025-12-31"); n != len(want) || !maps.Equal(h.stored("treasury_yield"), want) {
		t.Errorf("%d yields stored, want %d, each day and maturity once", n, len(want))
	}
	if n := h.backfill("2021-01-01", "2025-12-31"); n != 0 {
		t.Errorf("the second time %d yields were stored, want 0", n)
	}
}

func TestBackfillThatBrokeOffCompletes(t *testing.T) {
	h := newHouse(t)
	h.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if r.FormValue("field_tdr_date_value") != "2023" {
			return false
		}
		http.Error(w, "gone for now", http.StatusNotFound)
		return true
	}
	if a, w := h.call("from=2021-01-01&to=2024-12-31"); w.Code != http.StatusBadGateway || a.Stored == 0 {
		t.Fatalf("with 2023 missing: %d %s; want 502 after the years before it", w.Code, w.Body)
	}
	h.fail = nil
	h.backfill("2021-01-01", "2024-12-31")
	if want := expected("2021-01-01", "2025-01-01"); !maps.Equal(h.stored("treasury_yield"), want) {
		t.Errorf("%d yields are stored, want %d", len(h.stored("treasury_yield")), len(want))
	}
}

func TestBackfillBeginsWhereTheCurveDoes(t *testing.T) {
	h := newHouse(t, "TREASURY_MATURITIES", "10y")
	if n, want := h.backfill("1989-06-01", "1990-01-31"), 23; n != want {
		t.Errorf("%d yields stored, want %d", n, want)
	}
}

func TestUnknownMaturityHidesNoOther(t *testing.T) {
	h := newHouse(t, "TREASURY_MATURITIES", "10y, 11y")
	a, w := h.call("")
	if w.Code != http.StatusOK || a.Status != "partial" || a.Stored != 21 || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], `"11y"`) {
		t.Errorf("%d %s; want the 10 years and a warning about 11", w.Code, w.Body)
	}
}

func TestUpstreamThatFailsStoresNothing(t *testing.T) {
	good := string(yearFile(2026, nil))
	for _, tt := range []struct {
		name, body string
		code, want int
		says       string
	}{
		{"firewall", "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD></HTML>", 403, 502, "firewall"},
		{"not found", "no such page", 404, 502, "404"},
		{"server error", "oops", 500, 502, "500"},
		{"too many", "slow down", 429, 429, "429"},
		{"HTML", "<html><body>Please wait…</body></html>", 200, 502, "no feed but"},
		{"empty", "", 200, 502, "no feed"},
		{"truncated", good[:len(good)/2], 200, 502, "no feed"},
		{"no entries", string(yearFile(2026, func(time.Time) bool { return false })), 200, 502, "no yield of 10y"},
		{"renamed", strings.ReplaceAll(good, "BC_", "BX_"), 200, 502, "no yield of 10y"},
		{"changed type", strings.ReplaceAll(good, `<d:BC_10YEAR m:type="Edm.Double">`, `<d:BC_10YEAR m:type="Edm.String">about `), 200, 502, "not a number"},
		{"impossible", strings.ReplaceAll(good, `<d:BC_10YEAR m:type="Edm.Double">`, `<d:BC_10YEAR m:type="Edm.Double">10`), 200, 502, "cannot be right"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t, "TREASURY_MATURITIES", "10y")
			h.fail = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(tt.code)
				io.WriteString(w, tt.body)
				return true
			}
			a, w := h.call("")
			if w.Code != tt.want || !strings.Contains(a.Error, tt.says) || len(h.stored("treasury_yield")) != 0 {
				t.Errorf("%d %s; want %d with %q", w.Code, w.Body, tt.want, tt.says)
			}
			if tt.want == 429 && w.Header().Get("Retry-After") != "60" {
				t.Errorf("Retry-After is %q, want 60", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestUpstreamThatIsDown(t *testing.T) {
	h := newHouse(t, "key", key, "ALPHAVANTAGE_MATURITIES", "10year", "TREASURY_MATURITIES", "10y")
	h.upstream.Close()
	if a, w := h.call(""); w.Code != http.StatusBadGateway || a.Status != "failed" {
		t.Errorf("%d %s; want 502", w.Code, w.Body)
	}
}

func TestAlphaVantageStandsBesideTheTreasury(t *testing.T) {
	h := newHouse(t, "key", key, "TREASURY_MATURITIES", "10y", "ALPHAVANTAGE_MATURITIES", "3month,10year,4month")
	a, w := h.call("")
	if a.Status != "partial" || len(a.Targets) != 4 || !strings.Contains(strings.Join(a.Warnings, ""), `"4month"`) {
		t.Errorf("%d %s; want four targets, 4month failed", w.Code, w.Body)
	}
	want := map[string]float64{"10y 2026-11-20": 4.12, "10y 2026-11-19": 4.10, "10y 2026-11-10": 4.08,
		"3m 2026-11-20": 4.12, "3m 2026-11-19": 4.10, "3m 2026-11-10": 4.08}
	if got := h.stored("treasury_yield_alphavantage"); !maps.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
	if got := h.stored("treasury_yield"); len(got) != 21 {
		t.Errorf("%d yields of the Treasury, want 21", len(got))
	}
	if a, _ := h.call(""); a.Stored != 0 {
		t.Errorf("the rerun stored %d, want 0", a.Stored)
	}
}

// It takes the whole history with each call, so a backfill of any length costs
// one call a maturity.
func TestBackfillOfAlphaVantageCostsOneCall(t *testing.T) {
	h := newHouse(t, "key", key, "TREASURY_MATURITIES", "20y", "ALPHAVANTAGE_MATURITIES", "10year", "ALPHAVANTAGE_CALLS_A_DAY", "4")
	h.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/query" {
			h.asked.Add(1000)
		}
		return false
	}
	h.backfill("2020-01-01", "2026-11-22")
	if n := h.asked.Load() / 1000; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	if got := h.stored("treasury_yield_alphavantage"); len(got) != 3 {
		t.Errorf("stored %v, want the three days of 2026", got)
	}
}

func TestRerunsLeaveAlphaVantageToTheSchedule(t *testing.T) {
	h := newHouse(t, "key", key, "TREASURY_MATURITIES", "10y", "ALPHAVANTAGE_MATURITIES", "10year", "ALPHAVANTAGE_CALLS_A_DAY", "3")
	for i, want := range []string{"ok", "partial", "partial"} {
		if a, w := h.call(""); a.Status != want {
			t.Errorf("rerun %d: %d %s; want %s", i+1, w.Code, w.Body, want)
		}
	}
	for i, want := range []string{"ok", "ok", "partial"} {
		if a, w := h.call("", "X-Connector", "cron-connector"); a.Status != want {
			t.Errorf("scheduled run %d: %d %s; want %s", i+1, w.Code, w.Body, want)
		}
	}
	h.now = h.now.Add(24 * time.Hour)
	if a, w := h.call(""); a.Status != "ok" {
		t.Errorf("the next day: %d %s; want ok", w.Code, w.Body)
	}
}

// The key stands across the place where an error is cut short.
func TestAnAnswerThatTellsTheKeyIsRedacted(t *testing.T) {
	for _, before := range []int{0, 180, 190, 195} {
		h := newHouse(t, "key", key, "TREASURY_MATURITIES", "10y", "ALPHAVANTAGE_MATURITIES", "10year")
		h.fail = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/query" {
				fmt.Fprintf(w, `{"Information": "%s we have detected your API key as %s and our rate limit is 25 requests per day."}`,
					strings.Repeat(".", before), r.FormValue("apikey"))
				return true
			}
			return false
		}
		a, w := h.call("strict=true")
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s; want 429 with Retry-After", w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), key[:6]) || before == 0 && !strings.Contains(a.Error, "[secret]") {
			t.Errorf("the answer is %s; want [secret] in place of the key", w.Body)
		}
	}
}
