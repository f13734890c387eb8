package sourcetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/source"
)

// failures are what an upstream may do in place of a good answer. Those that
// can, tell back what they were sent.
var failures = []struct {
	name   string
	answer func(h *House, good http.HandlerFunc) http.HandlerFunc // nil: its host is dead
	code   int
	says   string
}{
	{"500", told(500, "%s"), 502, "answered 500"},
	{"429 with Retry-After", told(429, "%s", "Retry-After", "77"), 429, ""},
	{"an error in a 200", told(200, `{"error":%[1]q,"message":%[1]q,"Information":%[1]q,"errors":[{"message":%[1]q}],"cod":"503"}`), 502, ""},
	{"HTML", told(200, "<!DOCTYPE html><html><body>Please sign in: %s</body></html>"), 502, ""},
	{"an empty body", told(200, ""), 502, ""},
	{"half a body", spoilt(half, false), 502, ""},
	{"a body cut off", spoilt(half, true), 502, "half-way"},
	{"another type", spoilt(retype, false), 502, ""},
	{"a redirect to another host", elsewhere, 502, ""},
	{"nothing at all", silence, 502, "no answer in time"},
	{"a dead host", nil, 502, "connection refused"},
}

// Failures fails t unless the source, whose upstream is good at first, then
// fails in each way for three runs and is good again, answers each time with
// the status and the reason, leaves what is stored as it is, and tells Slack
// once when it starts and once when it ends. The first run is an hour after now.
func Failures(t *testing.T, now time.Time, build Build, vars Vars, secrets Secrets, good http.HandlerFunc) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			h := Start(t, now, build, vars, secrets, good)
			function := h.good(-1)
			stored := h.stored(function)
			h.Secret("slack-webhook", "http://slack/services/T000/B000/s3cr3thook") // only now: what is new is told elsewhere
			if f.answer == nil {
				h.Upstream.Close()
			} else {
				h.Answer = f.answer(h, good)
			}
			h.Vars["exec_timeout"] = "2s" // of which the upstream has half: too short for a second try
			h.Build(build)
			for run := range 3 {
				a, w := h.cron()
				if w.Code != f.code || a.Status != "failed" || a.Stored != 0 || h.stored(function) != stored {
					t.Errorf("run %d: %d %s and %d stored; want %d and %d", run+1, w.Code, w.Body, h.stored(function), f.code, stored)
				}
				if len(a.Error) < 30 || run == 0 && !strings.Contains(a.Error, f.says) { // a name and a few words
					t.Errorf("run %d: the reason is %q; want a sentence with %q", run+1, a.Error, f.says)
				}
				if wait := w.Header().Get("Retry-After"); (f.code == 429) != (wait == "77") {
					t.Errorf("run %d: Retry-After is %q", run+1, wait)
				}
			}
			h.heard(":red_circle: " + function + " is failing")
			h.Upstream, h.Answer = h.listen(h.ask), good
			delete(h.Vars, "exec_timeout")
			h.Build(build)
			h.good(stored)
			h.heard(":large_green_circle: " + function + " works again")
		})
	}
}

// cron calls the source as its schedule does, an hour later.
func (h *House) cron() (source.Answer, *httptest.ResponseRecorder) {
	h.t.Helper()
	h.Later(time.Hour)
	return h.Post("", "X-Connector", "cron-connector")
}

// good makes a run that must succeed and returns the function's name.
func (h *House) good(stored int) string {
	h.t.Helper()
	a, w := h.cron()
	n := h.stored(a.Function)
	if w.Code != http.StatusOK || a.Status != "ok" || n == 0 || stored >= 0 && n != stored {
		h.t.Fatalf("with a good upstream: %d %s; %d stored, want %d", w.Code, w.Body, n, stored)
	}
	return a.Function
}

// stored counts the function's open items and readings.
func (h *House) stored(function string) int {
	h.t.Helper()
	n := len(h.Items())
	for _, name := range catalogue.Of(function) {
		n += len(h.Readings(name))
	}
	return n
}

// heard fails the test unless Slack was told this and nothing else.
func (h *House) heard(want string) {
	h.t.Helper()
	if len(h.Told) != 1 || !strings.HasPrefix(h.Told[0], want) {
		h.t.Errorf("Slack was told %q, want %q once", h.Told, want)
	}
	h.Told = nil
}

// told answers with a text that holds what was sent.
func told(code int, format string, header ...string) func(*House, http.HandlerFunc) http.HandlerFunc {
	return func(*House, http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body := format
			if strings.Contains(format, "%") {
				body = fmt.Sprintf(format, fmt.Sprint("we were sent ", r.URL, " ", r.Header))
			}
			Says(code, body, header...)(w, r)
		}
	}
}

// spoilt answers with what change makes of the good body. Where the good one's
// length is declared, the connection ends before it is reached.
func spoilt(change func(string) string, declared bool) func(*House, http.HandlerFunc) http.HandlerFunc {
	return func(_ *House, good http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-None-Match")
			r.Header.Del("If-Modified-Since")
			whole := httptest.NewRecorder()
			good(whole, r)
			w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
			if declared {
				w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
			}
			io.WriteString(w, change(whole.Body.String()))
		}
	}
}

func half(body string) string { return body[:len(body)/2] }

var number = regexp.MustCompile(`>([0-9.]+)<`)

// retype makes an object of every value in JSON, and prose of every number in XML.
func retype(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return number.ReplaceAllString(body, ">about $1<")
	}
	b, _ := json.Marshal(wrap(v)) // it came from JSON
	return string(b)
}

func wrap(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = wrap(v[k])
		}
		return v
	case []any:
		for i := range v {
			v[i] = wrap(v[i])
		}
		return v
	default:
		return map[string]any{"value": v}
	}
}

// elsewhere sends the caller to another host, which must be shown no secret.
func elsewhere(h *House, _ http.HandlerFunc) http.HandlerFunc {
	other := h.listen(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		fmt.Fprintln(&h.said, r.URL, r.Header)
		io.WriteString(w, "<html><body>Please sign in</body></html>")
	})
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/login", http.StatusFound)
	}
}

// silence is a host that takes the question of the first run and says nothing,
// and hangs up on the next ones: a test cannot wait for each.
func silence(h *House, _ http.HandlerFunc) http.HandlerFunc {
	until := h.Now().Add(90 * time.Minute)
	return func(_ http.ResponseWriter, r *http.Request) {
		if h.Now().After(until) {
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
	}
}
