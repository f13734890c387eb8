package status

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestASourceIsRunAgainThroughTheGateway: only one that the page offers, and the answer says
// what came of it.
func TestASourceIsRunAgainThroughTheGateway(t *testing.T) {
	h := newFixture(t)
	code, body, called := 0, "", ""
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called = r.Method + " " + r.URL.Path
		w.WriteHeader(code)
		io.WriteString(w, body)
	}))
	defer gateway.Close()
	p := h.page()
	p.Redact = func(s string) string { return strings.ReplaceAll(s, "hunter2", "[secret]") }
	next := now.Add(time.Minute)
	p.Functions = func() []Function {
		return []Function{{Name: "rain", State: Live, Schedule: "*/15 * * * *", Next: next}, {Name: "wind", State: Broken, Schedule: "* * * * *", Next: next},
			{Name: "messages", State: Live, Topic: "a/#"}, {Name: "idle", State: Live, Schedule: "* * * * *"}}
	}
	if code, said := post(p, "/run", "function=rain"); code != 404 {
		t.Errorf("without a gateway: %d %s", code, said)
	}
	p.Gateway = func() string { return gateway.URL }
	for form, want := range map[string]int{"": 400, "function=rain&function=rain": 400, "function=rain&dry_run=true": 400, "function=": 404, "function=../system/functions": 404, "function=snow": 404, "function=wind": 404, "function=messages": 404, "function=idle": 404} {
		if code, said := post(p, "/run", form); code != want || called != "" {
			t.Errorf("%q: %d %s, want %d; called %s", form, code, said, want, called)
		}
	}
	for _, c := range []struct {
		code int
		body string
		want int
		said string
	}{
		{200, `{"status":"ok","stored":12,"unchanged":3,"warnings":[]}`, 200, "ok: 12 new, 3 unchanged"},
		{200, `{"status":"partial","stored":1,"unchanged":0,"warnings":["home: key hunter2 refused"]}`, 200, "partial: 1 new, 0 unchanged; home: key [secret] refused"},
		{200, `{"status":"not_configured","missing":["secret x"]}`, 502, "it lacks secret x"},
		{502, `{"status":"failed","error":"no answer"}`, 502, "failed: no answer"},
		{409, `{"status":"running"}`, 409, "it runs already"},
		{404, `no such function`, 404, "rain is not deployed at the gateway"},
		{502, "<b>bad\x1b[31m</b>", 502, "the gateway answered 502: <b>bad"},
		{502, strings.Repeat("x", maxAnswer), 502, "…"},
	} {
		code, body, called = c.code, c.body, ""
		got, said := post(p, "/run", "function=rain")
		if got != c.want || !strings.Contains(said, c.said) || called != "POST /function/rain" || strings.Contains(said, "\x1b") || len(said) > maxSaid+10 {
			t.Errorf("%d %.60s: %d %q, want %d %q; called %s", c.code, c.body, got, said, c.want, c.said, called)
		}
	}
	gateway.Close()
	if code, said := post(p, "/run", "function=rain"); code != 503 || !strings.Contains(said, "cannot be reached") {
		t.Errorf("without a gateway: %d %s", code, said)
	}
	_, html := get(t, listen(t, p).URL+"/status")
	if n := strings.Count(html, "data-run="); n != 1 {
		t.Errorf("%d sources can be run", n)
	}
}
