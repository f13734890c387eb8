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

const noAnswer = "no answer" // the failure that takes all the time that a run may take

// failures are the ways in which an upstream may fail. Where the failure has a
// body, it repeats the request, secrets included.
var failures = []struct {
	name   string
	answer func(h *Fixture, good http.HandlerFunc) http.HandlerFunc // nil: nothing listens at its address
	code   int                                                      // of the source's answer
	reason string                                                   // a part of the error in it
}{
	{"500", repeat(500, "%s"), 502, "answered 500"},
	{"429 with Retry-After", repeat(429, "%s", "Retry-After", "77"), 429, ""},
	{"an error in a 200", repeat(200, `{"error":%[1]q,"message":%[1]q,"Information":%[1]q,"errors":[{"message":%[1]q}],"cod":"503"}`), 502, ""},
	{"HTML", repeat(200, "<!DOCTYPE html><html><body>Please sign in: %s</body></html>"), 502, ""},
	{"an empty body", repeat(200, ""), 502, ""},
	{"half a body", change(half, false), 502, ""},
	{"a body cut off", change(half, true), 502, "half-way"},
	{"values of another type", change(changeTypes, false), 502, ""},
	{"a redirect to another host", redirectAway, 502, ""},
	{noAnswer, hang, 502, "no answer in time"},
	{"a dead host", nil, 502, "connection refused"},
}

// Failures tests how a source handles each way in which its upstream may fail. For
// each way it makes one run with the good upstream, three with the failing one, and
// one with the good one again. A failing run must answer with the right status and a
// reason, and must leave the stored data unchanged. Slack must get one message when
// the failure starts and one when it ends. The first run is an hour after now; the
// runs are an hour apart.
func Failures(t *testing.T, now time.Time, build Build, vars Vars, secrets Secrets, good http.HandlerFunc) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			h := Start(t, now, build, vars, secrets, good)
			function := h.goodRun(-1)
			stored := h.countStored(function)
			h.Secret("slack-webhooks", "http://slack/services/T000/B000/s3cr3thook") // only now: the first run's messages about new items are not tested here
			if f.answer == nil {
				h.Upstream.Close()
			} else {
				h.Answer = f.answer(h, good)
			}
			if f.name == noAnswer {
				h.Vars["exec_timeout"] = "5s" // half of it is for the upstream; a busy machine stores in the rest
			}
			h.Build(build)
			for run := range 3 {
				a, w := h.runScheduled()
				if w.Code != f.code || a.Status != "failed" || a.Stored != 0 || h.countStored(function) != stored {
					t.Errorf("run %d: %d %s and %d stored; want %d and %d", run+1, w.Code, w.Body, h.countStored(function), f.code, stored)
				}
				if len(a.Error) < 30 || run == 0 && !strings.Contains(a.Error, f.reason) { // shorter than 30 bytes explains nothing
					t.Errorf("run %d: the reason is %q; want a sentence with %q", run+1, a.Error, f.reason)
				}
				if wait := w.Header().Get("Retry-After"); (f.code == 429) != (wait == "77") {
					t.Errorf("run %d: Retry-After is %q", run+1, wait)
				}
			}
			h.expectMessage("Fetching fails: " + function)
			h.Upstream, h.Answer = h.listen(h.serveUpstream), good
			delete(h.Vars, "exec_timeout")
			h.Build(build)
			h.goodRun(stored)
			h.expectMessage("Resolved: Fetching fails: " + function)
		})
	}
}

// runScheduled advances the clock by an hour and calls the source as its schedule
// does.
func (h *Fixture) runScheduled() (source.Answer, *httptest.ResponseRecorder) {
	h.t.Helper()
	h.Later(time.Hour)
	return h.Post("", "X-Connector", "cron-connector")
}

// goodRun makes a run that must succeed. Afterwards the number of stored readings
// and open items must be stored, or any number above 0 if stored is negative. It
// returns the function's name.
func (h *Fixture) goodRun(stored int) string {
	h.t.Helper()
	a, w := h.runScheduled()
	n := h.countStored(a.Function)
	if w.Code != http.StatusOK || a.Status != "ok" || n == 0 || stored >= 0 && n != stored {
		h.t.Fatalf("with a good upstream: %d %s; %d stored, want %d", w.Code, w.Body, n, stored)
	}
	return a.Function
}

// countStored returns the number of the function's open items and readings.
func (h *Fixture) countStored(function string) int {
	h.t.Helper()
	n := len(h.Items())
	for _, name := range catalogue.Of(function) {
		n += len(h.Readings(name))
	}
	return n
}

// expectMessage fails the test unless Slack got exactly one message, which has want in it.
func (h *Fixture) expectMessage(want string) {
	h.t.Helper()
	if len(h.Messages) != 1 || !strings.Contains(h.Messages[0], want) {
		h.t.Errorf("Slack got %q, want one message with %q", h.Messages, want)
	}
	h.Messages = nil
}

// repeat answers with format, in which the request's URL and header are written.
func repeat(code int, format string, header ...string) func(*Fixture, http.HandlerFunc) http.HandlerFunc {
	return func(*Fixture, http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body := format
			if strings.Contains(format, "%") {
				body = fmt.Sprintf(format, fmt.Sprint("we were sent ", r.URL, " ", r.Header))
			}
			Respond(code, body, header...)(w, r)
		}
	}
}

// change answers with the good body, changed by edit. If declared is true, the
// answer declares the good body's length: a shorter body is then cut off.
func change(edit func(string) string, declared bool) func(*Fixture, http.HandlerFunc) http.HandlerFunc {
	return func(_ *Fixture, good http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-None-Match")
			r.Header.Del("If-Modified-Since")
			answer := httptest.NewRecorder()
			good(answer, r)
			w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
			if declared {
				w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
			}
			io.WriteString(w, edit(answer.Body.String()))
		}
	}
}

func half(body string) string { return body[:len(body)/2] }

var xmlNumber = regexp.MustCompile(`>([0-9.]+)<`)

// changeTypes replaces every value in JSON by an object, or every number in XML by a
// text.
func changeTypes(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return xmlNumber.ReplaceAllString(body, ">about $1<")
	}
	b, _ := json.Marshal(wrap(v)) // never fails: v was decoded from JSON
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

// redirectAway redirects the caller to another host. The request to that host must
// contain no secret.
func redirectAway(h *Fixture, _ http.HandlerFunc) http.HandlerFunc {
	other := h.listen(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		fmt.Fprintln(&h.output, r.URL, r.Header)
		io.WriteString(w, "<html><body>Please sign in</body></html>")
	})
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/login", http.StatusFound)
	}
}

// hang is a host that never answers the requests of the first failing run. It
// closes the connection on the later ones, so that the test does not wait for each.
func hang(h *Fixture, _ http.HandlerFunc) http.HandlerFunc {
	until := h.Now().Add(90 * time.Minute)
	return func(_ http.ResponseWriter, r *http.Request) {
		if h.Now().After(until) {
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
	}
}
