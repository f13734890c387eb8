package function

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/sourcetest"
)

const (
	good   = `{"c":518.43,"d":5.36,"dp":1.0447,"h":520.44,"l":514.01,"o":514.46,"pc":513.07,"t":1712347200}`
	zeros  = `{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}`
	denied = `{"error":"You don't have access to this resource."}`
	spent  = `{"error":"API limit reached. Please try again later. Remaining Limit: 0"}`
)

func TestDecode(t *testing.T) {
	rs, _, err := decode([]byte(good), "SPY")
	if err != nil {
		t.Fatal(err)
	}
	golden.Readings(t, "testdata/quote.lp", rs)
}

func TestDecodeRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"html": `<html>`, "nothing": ``, "truncated": good[:30], "unknown symbol": zeros, "error in a 200": denied,
		"no price": `{"t":1712347200}`, "no time": `{"c":518.43}`, "price a text": strings.Replace(good, "518.43", `"518.43"`, 1),
	} {
		if rs, _, err := decode([]byte(body), "SPY"); err == nil {
			t.Errorf("%s: decode(%s) = %v, want an error", name, body, rs)
		}
	}
}

// The change of a fund without one may be a text; the price is kept.
func TestAChangeThatIsNoNumberCostsItself(t *testing.T) {
	for body, want := range map[string]string{
		`{"c":518.43,"t":1712347200,"d":"N/A","dp":1.5}`:    "d has a value of the kind string, which is not documented",
		`{"c":518.43,"t":1712347200,"d":null,"h":[1]}`:      "h has a value of the kind array, which is not documented",
		`{"c":518.43,"t":1712347200,"pc":{},"error":""}`:    "pc has a value of the kind object, which is not documented",
		`{"c":518.43,"t":1712347200,"d":1,"error":{"a":1}}`: "error has a value of the kind object, which is not documented",
		`{"c":518.43,"t":1712347200,"d":1}`:                 "",
	} {
		rs, odd, err := decode([]byte(body), "SPY")
		if err != nil || odd != want || len(rs) != 1 || rs[0].Fields["price_usd"] != 518.43 {
			t.Errorf("%s: %v, %q, %v", body, rs, odd, err)
		}
	}
}

// What Finnhub says reaches the owner: in its words, with a hint, and without markup.
func TestAnErrorOfFinnhubIsExplained(t *testing.T) {
	const page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><script>alert(1)</script></body></html>"
	for _, c := range []struct {
		code   int
		body   string
		status int
		want   string
	}{
		{403, denied, 502, "the free plan has the US market only: upstream answered 403: \"You don't have access to this resource.\""},
		{403, "You don't have access to this resource.", 502, "the free plan has the US market only: upstream answered 403: \"You don't have access to this resource.\""},
		{401, "Invalid API key", 502, "the key is not valid: upstream answered 401: \"Invalid API key\""},
		{200, "Symbol not supported.", 502, "Finnhub answered: \"Symbol not supported.\""},
		{200, "API limit reached. Please try again later.", 429, "Finnhub answered: \"API limit reached."},
		{502, page, 502, "upstream answered 502: a page of HTML titled \"502 Bad Gateway\""},
		{200, page, 502, "not the documented JSON but a page of HTML titled \"502 Bad Gateway\""},
	} {
		h := sourcetest.Start(t, evening, New, vars, secrets, finnhub(c.code, c.body))
		a, w := h.Post("strict=true")
		got := strings.ReplaceAll(a.Error, h.Upstream.Listener.Addr().String(), "upstream")
		if w.Code != c.status || !strings.Contains(got, c.want) || strings.ContainsAny(got, "<>") {
			t.Errorf("%d %s: %d %s; want %d %s", c.code, c.body, w.Code, got, c.status, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(zeros))
	f.Fuzz(func(t *testing.T, body []byte) {
		if rs, _, err := decode(body, "SPY"); err == nil && (len(rs) != 1 || rs[0].Time.Unix() <= 0 || rs[0].Fields["price_usd"] <= 0) {
			t.Errorf("decode(%q) = %v", body, rs)
		}
	})
}

const key = "k3y-of-f1nnhub"

var (
	vars    = sourcetest.Vars{"STOCKS_SYMBOLS": "SPY, NOPE", "FINNHUB_URL": "http://upstream"}
	secrets = sourcetest.Secrets{"finnhub-key": key}
)

// evening is an hour after the good quote.
var evening = time.Unix(1712347200, 0).Add(time.Hour)

// finnhub answers with code and body for NOPE, and with a good quote for other symbols.
func finnhub(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Finnhub-Token") != key {
			sourcetest.Respond(401, denied)(w, r)
		} else if r.URL.Query().Get("symbol") == "NOPE" {
			sourcetest.Respond(code, body, "Retry-After", "30")(w, r)
		} else {
			sourcetest.Respond(200, good)(w, r)
		}
	}
}

func TestASymbolFailsAloneAndARerunStoresNothing(t *testing.T) {
	h := sourcetest.Start(t, evening, New, vars, secrets, finnhub(200, good))
	if a, w := h.Post(""); a.Stored != 2 {
		t.Errorf("first run: %d %s", w.Code, w.Body)
	}
	for _, c := range []struct {
		code   int
		body   string
		strict int // status code of a strict run
	}{{200, good, 200}, {200, zeros, 502}, {403, denied, 502}, {404, "", 502}, {500, key, 502}, {429, spent, 429}, {200, spent, 429}} {
		h.Answer = finnhub(c.code, c.body)
		if a, w := h.Post(""); w.Code != 200 || a.Status != map[bool]string{true: "ok", false: "partial"}[c.strict == 200] || a.Stored != 0 {
			t.Errorf("NOPE is answered %d %s: %d %s", c.code, c.body, w.Code, w.Body)
		}
		if _, w := h.Post("strict=true"); w.Code != c.strict {
			t.Errorf("NOPE is answered %d %s: %d %s, want %d", c.code, c.body, w.Code, w.Body, c.strict)
		}
	}
}

// Finnhub's free plan allows 60 calls a minute, and a run is shorter than a minute.
func TestSymbolsBeyondAMinutesCallsFailWithAReason(t *testing.T) {
	var symbols []string
	for i := range 62 {
		symbols = append(symbols, fmt.Sprintf("S%02d", i))
	}
	h := sourcetest.Start(t, evening, New, sourcetest.Vars{"STOCKS_SYMBOLS": strings.Join(symbols, ","), "FINNHUB_URL": "http://upstream"}, secrets, finnhub(200, good))
	for run, stored := range []int{60, 0} {
		a, w := h.Post("") // a manual rerun: no calls are reserved for the schedule, since none would be left
		if w.Code != 200 || a.Status != "partial" || a.Stored != stored || len(a.Targets) != 62 || len(a.Warnings) != 2 || len(h.Requests) != 60*(run+1) {
			t.Fatalf("run %d: %d %s after %d calls", run, w.Code, w.Body, len(h.Requests))
		}
		for i, o := range a.Targets {
			if (o.Status == "failed") != (i >= 60) || i >= 60 && !strings.Contains(o.Error, "the first 60 of STOCKS_SYMBOLS") {
				t.Errorf("run %d: %+v", run, o)
			}
		}
		h.Later(time.Minute)
	}
	h.Vars["FINNHUB_CALLS_A_MINUTE"] = "300"
	h.Build(New)
	if a, w := h.Post(""); a.Status != "ok" || a.Stored != 2 {
		t.Errorf("with another plan: %d %s", w.Code, w.Body)
	}
}

func TestFailures(t *testing.T) {
	sourcetest.Failures(t, evening, New, vars, secrets, finnhub(200, good))
}
