package function

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

func TestDecodeHistory(t *testing.T) {
	h, err := decodeHistory(sourcetest.File(t, "10year.json"), "10year")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range h.points {
		fmt.Fprintln(&b, p.time.Format(time.DateOnly), p.yield)
	}
	golden.Text(t, "testdata/10year.txt", b.String()) // no 2026-11-11: a holiday
}

// errorTexts are errors that Alpha Vantage reports with status 200.
var errorTexts = []struct {
	name, body string
	spent      bool
	wait       time.Duration
}{
	{"day's limit", `{"Information": "Thank you for using Alpha Vantage! Our standard API rate limit is 25 requests per day. Please subscribe to any of the premium plans to instantly remove all daily rate limits."}`, true, time.Hour},
	{"limit as note", `{"Note": "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and 500 calls per day."}`, true, time.Minute},
	{"too fast", `{"Information": "Please consider spreading out your free API requests more sparingly (1 request per second) to lift the free key rate limit (25 requests per day)."}`, true, time.Minute},
	{"the limit since 2026", `{"Information": "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more sparingly (1 request per second). You may subscribe to any of the premium plans at https://www.alphavantage.co/premium/ to lift the free key rate limit (25 requests per day), raise the per-second burst limit, and instantly unlock all premium endpoints"}`, true, time.Minute},
	{"the day's limit with premium endpoints", `{"Information": "We have detected your API key as ABC and our standard API rate limit is 25 requests per day. Please subscribe to any of the premium plans to instantly remove all daily rate limits and unlock all premium endpoints."}`, true, time.Hour},
	{"premium", `{"Information": "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the premium plans to instantly remove rate limits."}`, false, 0},
	{"burst", `{"Information": "Burst pattern detected. Please consider spreading out your free API requests more sparingly."}`, true, time.Minute},
	{"requests/day", `{"Information": "You have reached the 25 requests/day limit for your free API key. Please subscribe to any of the premium plans."}`, true, time.Hour},
	{"quota", `{"Information": "You have used up your daily quota."}`, true, time.Hour},
	{"too many", `{"message": "Too many requests. Slow down."}`, true, time.Hour},
	{"the gateway's", `{"message": "Limit Exceeded"}`, true, time.Hour},
	{"throttled", `{"detail": "Request was throttled."}`, true, time.Hour},
	{"premium feature", `{"Information": "The outputsize=full parameter value is a premium feature. Subscribe to instantly remove all daily rate limits."}`, false, 0},
	{"demo key", `{"Information": "The **demo** API key is for demo purposes only. Please claim your free API key."}`, false, 0},
	{"wrong key", `{"Error Message": "the parameter apikey is invalid or missing. Please claim your free API key."}`, false, 0},
	{"unknown key", `{"Notice": "The service is being maintained."}`, false, 0},
	{"empty object", `{}`, false, 0},
	{"data is null", `{"name": "10-Year", "interval": "daily", "unit": "percent", "data": null}`, false, 0},
}

func TestDecodeHistoryReturnsTheErrorInAText(t *testing.T) {
	for _, tt := range errorTexts {
		t.Run(tt.name, func(t *testing.T) {
			points, err := decodeHistory([]byte(tt.body), "10year")
			e, ok := errors.AsType[*fetch.UpstreamError](err)
			if !ok {
				t.Fatalf("decodeHistory() = %v, %v; want an upstream error", points, err)
			}
			if e.Spent != tt.spent || e.RetryAfter != tt.wait || e.Message == "" {
				t.Errorf("decodeHistory() = %+v, want spent %t, retry after %v", e, tt.spent, tt.wait)
			}
		})
	}
}

func TestDecodeHistoryRefuses(t *testing.T) {
	good := string(sourcetest.File(t, "10year.json"))
	for name, body := range map[string]string{
		"empty":            "",
		"HTML":             "<html></html>",
		"a list":           "[]",
		"truncated":        good[:len(good)/2],
		"another maturity": strings.Replace(good, "10-Year", "2-Year", 1),
		"monthly":          strings.Replace(good, "daily", "monthly", 1),
		"another unit":     strings.Replace(good, "percent", "basis points", 1),
		"no dates":         strings.ReplaceAll(good, `"date"`, `"day"`),
		"other dates":      regexp.MustCompile(`(\d+)-(\d+)-(\d+)"`).ReplaceAllString(good, `$2/$3/$1"`),
		"objects":          regexp.MustCompile(`("value": )("[^"]*")`).ReplaceAllString(good, `$1{"percent": $2}`),
		"words":            regexp.MustCompile(`("value": )("[^"]*")`).ReplaceAllString(good, `$1"four"`),
	} {
		t.Run(name, func(t *testing.T) {
			if points, err := decodeHistory([]byte(body), "10year"); err == nil {
				t.Errorf("decodeHistory() = %v, want an error", points)
			}
		})
	}
}

// One odd day costs itself, with a warning.
func TestAnOddDayOfTheHistoryCostsItself(t *testing.T) {
	good := string(sourcetest.File(t, "10year.json"))
	whole, err := decodeHistory([]byte(good), "10year")
	if err != nil || len(whole.odd.list) > 0 {
		t.Fatal(err, whole.odd)
	}
	for name, c := range map[string]struct {
		body      string
		lost, odd int
	}{
		"no date":        {strings.Replace(good, `"date": "2026-11-19", `, "", 1), 1, 1},
		"a changed date": {strings.Replace(good, "2026-11-19", "11/19/2026", 1), 1, 1},
		"a changed type": {strings.Replace(good, `"4.10"`, `{"value":4.1}`, 1), 1, 1},
		"a number":       {strings.Replace(good, `"4.10"`, `4.10`, 1), 0, 0},
		"no number":      {strings.Replace(good, `"4.10"`, `"NaN"`, 1), 1, 1},
		"an empty value": {strings.Replace(good, `"4.10"`, `""`, 1), 1, 0},
		"N/A":            {strings.Replace(good, `"4.10"`, `"N/A"`, 1), 1, 0},
		"null":           {strings.Replace(good, `"4.10"`, `null`, 1), 1, 0},
	} {
		h, err := decodeHistory([]byte(c.body), "10year")
		if err != nil || len(h.points) != len(whole.points)-c.lost || len(h.odd.warnings("")) != c.odd {
			t.Errorf("%s: %d points, %q, %v; want %d and %d warnings", name, len(h.points), h.odd.warnings(""), err, len(whole.points)-c.lost, c.odd)
		}
	}
}

func FuzzDecodeHistory(f *testing.F) {
	f.Add(sourcetest.File(f, "10year.json"))
	for _, p := range errorTexts {
		f.Add([]byte(p.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := decodeHistory(body, "10year")
		for _, p := range h.points {
			if err != nil || math.IsNaN(p.yield) || math.IsInf(p.yield, 0) {
				t.Fatalf("a point %v with error %v", p, err)
			}
		}
	})
}
