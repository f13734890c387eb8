package backfill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source returns a job for a function that answers its calls in this order, and the last
// answer to all further calls.
func source(t *testing.T, answers ...func(w http.ResponseWriter, r *http.Request)) (Job, *[]string) {
	t.Helper()
	asked := &[]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.Query().Get("from"))
		answers[min(len(*asked), len(answers))-1](w, r)
	}))
	t.Cleanup(srv.Close)
	return Job{Gateway: srv.URL, Function: "treasuries", From: date(2020), To: date(2024), pause: time.Millisecond}, asked
}

func date(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

func respond(code int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func ignore(Progress) {}

func TestEachCallBeginsAtTheLastAnswersNext(t *testing.T) {
	j, asked := source(t,
		respond(200, `{"status":"ok","stored":10,"unchanged":1,"next":"2022-01-01T00:00:00Z"}`),
		respond(200, `{"status":"ok","stored":5,"next":"2022-01-01T12:00:00Z"}`),
		respond(200, `{"status":"ok","stored":2,"unchanged":3}`))
	var seen []float64
	p, err := Run(t.Context(), j, func(p Progress) { seen = append(seen, p.Done) })
	if err != nil || p.Stored != 17 || p.Unchanged != 4 || p.Done != 1 {
		t.Errorf("Run = %+v, %v", p, err)
	}
	if got := strings.Join(*asked, " "); got != "2020-01-01 2022-01-01 2022-01-01T12:00:00Z" {
		t.Errorf("asked from %s", got)
	}
	if len(seen) != 3 || seen[0] < 0.49 || seen[0] > 0.51 {
		t.Errorf("progress = %v", seen)
	}
}

// A killed run keeps its lease for 35 s, longer than the retries of a failed call.
func TestAnotherRunIsWaitedFor(t *testing.T) {
	answers := slices.Repeat([]func(http.ResponseWriter, *http.Request){respond(409, `{"status":"running"}`)}, 15)
	j, asked := source(t, append(answers, respond(200, `{"status":"ok","stored":1}`))...)
	if p, err := Run(t.Context(), j, ignore); err != nil || p.Stored != 1 || len(*asked) != 16 {
		t.Errorf("Run = %+v, %v after %d calls", p, err, len(*asked))
	}
	j, asked = source(t, respond(409, `{"status":"running"}`))
	if _, err := Run(t.Context(), j, ignore); err == nil || len(*asked) != busyTries {
		t.Errorf("Run = %v after %d calls, want it to end", err, len(*asked))
	}
}

func TestAPassingFailureIsRetried(t *testing.T) {
	j, asked := source(t, respond(409, `{"status":"running"}`), respond(503, `{"error":"store: refused"}`), respond(429, `{}`), respond(502, `nonsense`),
		respond(200, `{"status":"ok","stored":1}`))
	var waited []string
	p, err := Run(t.Context(), j, func(p Progress) {
		if p.waiting != "" {
			waited = append(waited, p.waiting)
		}
	})
	if err != nil || p.Stored != 1 || len(*asked) != 5 || len(waited) != 4 {
		t.Errorf("Run = %+v, %v after %d calls, waited for %q", p, err, len(*asked), waited)
	}
}

func TestAFailureSaysWhyAndWhereToContinue(t *testing.T) {
	first := respond(200, `{"status":"ok","stored":10,"next":"2022-01-01T00:00:00Z"}`)
	for want, last := range map[string]func(http.ResponseWriter, *http.Request){
		"treasuries failed: feed.gov answered 500": respond(502, `{"status":"failed","error":"feed.gov answered 500"}`),
		"refused: this source has no history":      respond(400, `{"error":"this source has no history"}`),
		"no function treasuries":                   respond(404, `there is no function`),
		"lacks secret alphavantage-key":            respond(200, `{"status":"not_configured","missing":["secret alphavantage-key"]}`),
		"used up for another 3h":                   spent,
		"please report this bug":                   respond(200, `{"status":"ok","next":"2021-01-01T00:00:00Z"}`),
		"no JSON":                                  respond(200, `<html>`),
	} {
		j, _ := source(t, first, last)
		p, err := Run(t.Context(), j, ignore)
		if err == nil || !strings.Contains(err.Error(), want) || p.Stored != 10 {
			t.Errorf("Run = %+v, %v; want %q", p, err, want)
		}
		if want != "please report this bug" && !strings.Contains(err.Error(), "continue with --from 2022-01-01") {
			t.Errorf("%v does not say where to continue", err)
		}
	}
}

func spent(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "10800")
	w.WriteHeader(429)
	json.NewEncoder(w).Encode(map[string]string{"error": "the quota is spent"})
}

func TestARefusalAtOnceDoesNotSayWhereToContinue(t *testing.T) {
	j, _ := source(t, respond(400, `{"error":"this source has no history"}`))
	if _, err := Run(t.Context(), j, ignore); err == nil || strings.Contains(err.Error(), "continue with") {
		t.Errorf("err = %v", err)
	}
}

func TestAFailedTargetIsAnErrorAtTheEnd(t *testing.T) {
	j, _ := source(t, respond(200, `{"status":"partial","stored":1,"warnings":["10y: no"],"next":"2022-01-01T00:00:00Z"}`), respond(200, `{"status":"ok","stored":1}`))
	p, err := Run(t.Context(), j, ignore)
	if err == nil || !strings.Contains(err.Error(), "10y: no") || p.Done != 1 {
		t.Errorf("Run = %+v, %v", p, err)
	}
}

// Nothing listens: a retry would only keep the user waiting.
func TestAWrongGatewayFailsAtOnce(t *testing.T) {
	j, _ := source(t, respond(200, `{}`))
	j.Gateway, j.pause = "http://127.0.0.1:1", time.Hour
	shown := 0
	if _, err := Run(t.Context(), j, func(Progress) { shown++ }); err == nil || shown > 0 || !strings.Contains(err.Error(), "no answer from the gateway http://127.0.0.1:1, is hearth up running? dial") {
		t.Errorf("shown %d times: %v", shown, err)
	}
}

// The gateway restarts: a backfill that has begun waits for it.
func TestALostGatewayIsWaitedFor(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(respond(200, `{"status":"ok","stored":1,"next":"2022-01-01T00:00:00Z"}`)))
	j := Job{Gateway: srv.URL, Function: "treasuries", From: date(2020), To: date(2024), pause: time.Millisecond}
	retries := 0
	_, err := Run(t.Context(), j, func(p Progress) {
		if p.waiting == "" {
			srv.Close()
		} else {
			retries++
		}
	})
	if err == nil || retries != tries-1 || !strings.Contains(err.Error(), "continue with --from 2022-01-01") {
		t.Errorf("%d retries: %v", retries, err)
	}
}

func TestAStopEndsTheWait(t *testing.T) {
	j, _ := source(t, respond(409, `{}`))
	j.pause = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, j, func(Progress) { cancel() })
	if err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("err = %v", err)
	}
}

// The user stops it while the source works on a later call.
func TestAStopDuringACallSaysWhereToContinue(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j, _ := source(t, respond(200, `{"status":"ok","stored":10,"next":"2022-01-01T00:00:00Z"}`), func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	p, err := Run(ctx, j, ignore)
	if want := "stopped; everything before 2022-01-01 is stored, continue with --from 2022-01-01"; err == nil || err.Error() != want || p.Stored != 10 {
		t.Errorf("Run = %+v, %v; want %s", p, err, want)
	}
}

func TestABarShowsPercentageRowsAndTime(t *testing.T) {
	var b bytes.Buffer
	bar := Bar{W: &b, Name: "treasuries"}
	bar.Show(Progress{Done: 0.5, Stored: 12, Unchanged: 3, left: 90 * time.Second})
	bar.Show(Progress{Done: 0.5, waiting: "a\x1b[2J\nb\u202e"})
	want := "treasuries [===============               ]  50%  12 new, 3 unchanged  1m30s left\n" +
		"treasuries [===============               ]  50%  0 new, 0 unchanged  waiting: a·[2J b·\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestOnATerminalOneLineChanges(t *testing.T) {
	var b bytes.Buffer
	bar := Bar{W: &b, Terminal: true, Name: "x"}
	bar.Show(Progress{waiting: strings.Repeat("long ", 50)})
	bar.Show(Progress{Done: 1})
	bar.End()
	steps := strings.Split(b.String(), "\r")
	if len(steps) != 3 || strings.Count(b.String(), "\n") != 1 || !strings.HasSuffix(b.String(), "\n") {
		t.Fatalf("%q: want two steps on one line", b.String())
	}
	if first, last := []rune(steps[1]), []rune(strings.TrimSuffix(steps[2], "\n")); len(first) > 118 || len(last) < len(first) {
		t.Errorf("a step of %d columns, then one of %d: the first would wrap, or stay visible", len(first), len(last))
	}
}
