package function

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/sourcetest"
)

func TestARunForNowFillsWeeksWithOneRequest(t *testing.T) {
	h := start(t)
	want := expected("2026-10-10", "2026-11-24") // 45 days before the 23rd at noon
	a, w := h.Post("")
	if w.Code != 200 || a.Stored != len(want) || !maps.Equal(stored(t, h, "treasury_yield"), want) {
		t.Errorf("first run: %d %s; want %d yields", w.Code, w.Body, len(want))
	}
	if len(h.Requests) != 1 {
		t.Errorf("requests %q, want one for all maturities", h.Requests)
	}
	if a, w = h.Post(""); w.Code != 200 || a.Stored != 0 || a.Unchanged != len(want) {
		t.Errorf("rerun: %d %s; want nothing stored", w.Code, w.Body)
	}
}

func TestARunForNowInJanuaryAlsoFetchesTheOldYear(t *testing.T) {
	h := start(t)
	h.Later(date("2027-01-01").Sub(h.Now()) + 30*time.Minute) // no curve of 2027 is published
	h.Answer = func(w http.ResponseWriter, r *http.Request) {
		old := r.FormValue("field_tdr_date_value") == "2026"
		w.Write(yearFile(map[bool]int{true: 2026, false: 2027}[old], func(time.Time) bool { return old }))
	}
	want := expected("2026-11-18", "2027-01-01") // 45 days before
	if a, w := h.Post(""); a.Status != "ok" || !maps.Equal(stored(t, h, "treasury_yield"), want) {
		t.Errorf("%d %s; want %d yields", w.Code, w.Body, len(want))
	}
}

func TestBackfillOfFiveYearsStoresEachDayOnce(t *testing.T) {
	h := start(t)
	want := expected("2021-01-01", "2026-01-01")
	if n := backfill(t, h, "2021-01-01", "2025-12-31"); n != len(want) || !maps.Equal(stored(t, h, "treasury_yield"), want) {
		t.Errorf("%d yields stored, want %d, each day and maturity once", n, len(want))
	}
	if n := backfill(t, h, "2021-01-01", "2025-12-31"); n != 0 {
		t.Errorf("the second time %d yields were stored, want 0", n)
	}
}

func TestBackfillContinuesAfterAFailure(t *testing.T) {
	h := start(t)
	h.Answer = but("field_tdr_date_value=2023", sourcetest.Respond(404, "gone for now"))
	a, w := h.Post("from=2021-01-01&to=2024-12-31")
	if w.Code != 200 || a.Stored == 0 || a.Next == "" {
		t.Fatalf("with 2023 missing: %d %s; want the days before it stored", w.Code, w.Body)
	}
	if _, w := h.Post("from=" + a.Next + "&to=2024-12-31"); w.Code != 502 {
		t.Fatalf("from %s: %d %s; want 502", a.Next, w.Code, w.Body)
	}
	h.Answer = upstreams
	backfill(t, h, "2021-01-01", "2024-12-31")
	if want := expected("2021-01-01", "2025-01-01"); !maps.Equal(stored(t, h, "treasury_yield"), want) {
		t.Errorf("%d yields are stored, want %d", len(stored(t, h, "treasury_yield")), len(want))
	}
}

func TestBackfillBeginsInTheFirstYearOfTheCurve(t *testing.T) {
	h := start(t, "TREASURY_MATURITIES", "10y")
	if n, want := backfill(t, h, "1989-06-01", "1990-01-31"), 23; n != want {
		t.Errorf("%d yields stored, want %d", n, want)
	}
}

func TestAnUnknownMaturityFailsAlone(t *testing.T) {
	h := start(t, "TREASURY_MATURITIES", "10y, 11y")
	a, w := h.Post("")
	if w.Code != 200 || a.Status != "partial" || a.Stored != 31 || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0], `"11y"`) {
		t.Errorf("%d %s; want the 10 years and a warning about 11", w.Code, w.Body)
	}
}

func TestAnAnswerWithoutACurveIsRefused(t *testing.T) {
	good := string(yearFile(2026, nil))
	for _, tt := range []struct {
		name, body string
		code       int
		reason     string
	}{
		{"firewall", "<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD></HTML>", 403, "firewall"},
		{"not found", "no such page", 404, "404"},
		{"HTML", "<html><body>Please wait…</body></html>", 200, "not a feed but"},
		{"no entries", string(yearFile(2026, func(time.Time) bool { return false })), 200, "no yield of 10y"},
		{"renamed", strings.ReplaceAll(good, "BC_", "BX_"), 200, "no yield of 10y"},
		{"changed type", strings.ReplaceAll(good, `<d:BC_10YEAR m:type="Edm.Double">`, `<d:BC_10YEAR m:type="Edm.String">about `), 200, "not a number"},
		{"impossible", strings.ReplaceAll(good, `<d:BC_10YEAR m:type="Edm.Double">`, `<d:BC_10YEAR m:type="Edm.Double">10`), 200, "cannot be right"},
	} {
		h := start(t, "TREASURY_MATURITIES", "10y")
		h.Answer = sourcetest.Respond(tt.code, tt.body)
		if a, w := h.Post(""); w.Code != 502 || !strings.Contains(a.Error, tt.reason) || len(stored(t, h, "treasury_yield")) != 0 {
			t.Errorf("%s: %d %s; want 502 with %q", tt.name, w.Code, w.Body, tt.reason)
		}
	}
}

func TestFailures(t *testing.T) {
	sourcetest.Failures(t, noon, New, vars("TREASURY_MATURITIES", "10y", "ALPHAVANTAGE_MATURITIES", "10year"), sourcetest.Secrets{"alphavantage-key": key}, upstreams)
}

func TestAlphaVantagesYieldsAreStoredBesideTheTreasurys(t *testing.T) {
	h := startWithKey(t, "TREASURY_MATURITIES", "10y", "ALPHAVANTAGE_MATURITIES", "3month,10year,4month")
	a, w := h.Post("")
	if a.Status != "partial" || len(a.Targets) != 4 || !strings.Contains(strings.Join(a.Warnings, ""), `"4month"`) {
		t.Errorf("%d %s; want four targets, 4month failed", w.Code, w.Body)
	}
	want := map[string]float64{"10y 2026-11-20": 4.12, "10y 2026-11-19": 4.10, "10y 2026-11-10": 4.08,
		"3m 2026-11-20": 4.12, "3m 2026-11-19": 4.10, "3m 2026-11-10": 4.08}
	if got := stored(t, h, "treasury_yield_alphavantage"); !maps.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
	if got := stored(t, h, "treasury_yield"); len(got) != 31 {
		t.Errorf("%d yields of the Treasury, want 31", len(got))
	}
	if a, _ := h.Post(""); a.Stored != 0 {
		t.Errorf("the rerun stored %d, want 0", a.Stored)
	}
}

// Each call returns the whole history, so a backfill needs one call per maturity.
func TestBackfillOfAlphaVantageNeedsOneCall(t *testing.T) {
	h := startWithKey(t, "TREASURY_MATURITIES", "20y", "ALPHAVANTAGE_MATURITIES", "10year", "ALPHAVANTAGE_CALLS_A_DAY", "4")
	backfill(t, h, "2020-01-01", "2026-11-22")
	if n := strings.Count(strings.Join(h.Requests, " "), "/query?"); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	if got := stored(t, h, "treasury_yield_alphavantage"); len(got) != 3 {
		t.Errorf("stored %v, want the three days of 2026", got)
	}
}

func TestRerunsLeaveAlphaVantagesCallsForTheSchedule(t *testing.T) {
	h := startWithKey(t, "TREASURY_MATURITIES", "10y", "ALPHAVANTAGE_MATURITIES", "10year", "ALPHAVANTAGE_CALLS_A_DAY", "3")
	for i, want := range []string{"ok", "partial", "partial"} {
		if a, w := h.Post(""); a.Status != want {
			t.Errorf("rerun %d: %d %s; want %s", i+1, w.Code, w.Body, want)
		}
	}
	for i, want := range []string{"ok", "ok", "partial"} {
		if a, w := h.Post("", "X-Connector", "cron-connector"); a.Status != want {
			t.Errorf("scheduled run %d: %d %s; want %s", i+1, w.Code, w.Body, want)
		}
	}
	h.Later(24 * time.Hour)
	if a, w := h.Post(""); a.Status != "ok" {
		t.Errorf("the next day: %d %s; want ok", w.Code, w.Body)
	}
}

// The key is at different positions, also where the error is cut short.
func TestAKeyInAnAnswerIsRedacted(t *testing.T) {
	for _, before := range []int{0, 180, 190, 195} {
		h := startWithKey(t, "TREASURY_MATURITIES", "10y", "ALPHAVANTAGE_MATURITIES", "10year")
		h.Answer = but("/query", sourcetest.Respond(200, fmt.Sprintf(`{"Information": "%s we have detected your API key as %s and our rate limit is 25 requests per day."}`,
			strings.Repeat(".", before), key)))
		a, w := h.Post("strict=true")
		if w.Code != 429 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s; want 429 with Retry-After", w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), key[:6]) || before == 0 && !strings.Contains(a.Error, "[secret]") {
			t.Errorf("the answer is %s; want [secret] in place of the key", w.Body)
		}
	}
}
