// Package backfill calls a source until it has stored the readings of a span of its
// history. Each call stores a part of the span and answers where the next begins.
package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/pause"
)

// Job is a span of a source's history to store.
type Job struct {
	Gateway  string // http://127.0.0.1:8080
	Function string
	From, To time.Time     // including To's day
	pause    time.Duration // before a retry; 0: 3 s
}

// Progress is the state of a backfill.
type Progress struct {
	Done              float64 // 0 to 1
	Stored, Unchanged int
	left              time.Duration // estimated; 0: unknown
	Next              time.Time     // where the next call begins
	waiting           string        // why it waits before a retry; "": it does not wait
	Sample            bool          // the last answer was sample data
}

const (
	timeout   = time.Minute     // of a call; the function ends it after 25 s
	tries     = 5               // of a call that fails for a reason that may pass
	busyTries = 20              // of a call during another run; a killed run keeps its lease for 35 s
	maxWait   = 2 * time.Minute // the longest Retry-After that it waits for
)

// answer has the keys of a source's answer that a backfill reads.
type answer struct {
	Status    string   `json:"status"`
	Stored    int      `json:"stored"`
	Unchanged int      `json:"unchanged"`
	Warnings  []string `json:"warnings"`
	Error     string   `json:"error"`
	Missing   []string `json:"missing"`
	Next      string   `json:"next"`
	Sample    bool     `json:"sample"`

	code int
	wait time.Duration // Retry-After
}

// Run stores the span's readings. It calls show after every call of the function. An
// error says what failed, or that ctx ended, and from which day to continue: stored readings stay, and a
// rerun stores only the missing ones. If targets failed, the whole span is tried first:
// then Done is 1 and the error names them.
func Run(ctx context.Context, j Job, show func(Progress)) (Progress, error) {
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	began := time.Now()
	p := Progress{Next: j.From}
	partial := ""
	for {
		a, err := j.callWithRetry(ctx, client, &p, show)
		if err != nil {
			if p.Next.After(j.From) {
				err = fmt.Errorf("%w; everything before %[2]s is stored, continue with --from %[2]s", err, day(p.Next))
			}
			return p, err
		}
		p.Stored, p.Unchanged, p.Sample = p.Stored+a.Stored, p.Unchanged+a.Unchanged, a.Sample
		if a.Status == "partial" && partial == "" {
			partial = strings.Join(a.Warnings, "; ")
		}
		if a.Next == "" {
			break
		}
		next, err := time.Parse(time.RFC3339, a.Next)
		if err != nil || !next.After(p.Next) {
			return p, fmt.Errorf("%s answered next %q, which is no time after %s: please report this bug", j.Function, a.Next, day(p.Next))
		}
		p.advance(j, next, time.Since(began))
		show(p)
	}
	p.Done, p.left = 1, 0
	show(p)
	if partial != "" {
		return p, fmt.Errorf("some targets failed: %s; run it again, it stores only what is missing", partial)
	}
	return p, nil
}

// advance sets where the next call begins, the share of the span that is done, and the
// time left at the speed so far.
func (p *Progress) advance(j Job, next time.Time, took time.Duration) {
	p.Next = next
	p.Done = min(1, float64(next.Sub(j.From))/float64(j.To.AddDate(0, 0, 1).Sub(j.From)))
	if p.Done > 0 {
		p.left = time.Duration(float64(took) * (1 - p.Done) / p.Done)
	}
}

// errStopped means that the caller's context ended.
var errStopped = errors.New("stopped")

// callWithRetry repeats a call while it fails for a reason that may pass.
func (j Job) callWithRetry(ctx context.Context, client *http.Client, p *Progress, show func(Progress)) (answer, error) {
	defer func() { p.waiting = "" }()
	for failed, busy := 0, 0; ; {
		a, err := j.call(ctx, client, p.Next)
		if a.code == http.StatusConflict {
			busy++
		} else {
			failed++
		}
		wait, reason := j.failure(a, err)
		switch {
		case reason == nil:
			return a, nil
		case ctx.Err() != nil:
			return a, errStopped
		case wait == 0 || unreached(err) && p.Next.Equal(j.From) || failed == tries || busy == busyTries:
			return a, reason
		}
		p.waiting = reason.Error()
		show(*p)
		if !pause.For(ctx, wait) {
			return a, errStopped
		}
	}
}

// failure returns why a call failed, nil if it did not, and how long to wait before a
// retry; 0: a retry does not help.
func (j Job) failure(a answer, err error) (time.Duration, error) {
	wait := j.pause
	if wait == 0 {
		wait = 3 * time.Second
	}
	reason := a.Error
	if reason == "" {
		reason = fmt.Sprintf("it answered %d", a.code)
	}
	switch {
	case err != nil:
		return wait, err
	case a.code == http.StatusOK && a.Status == "not_configured":
		return 0, fmt.Errorf("%s is not configured: it lacks %s", j.Function, strings.Join(a.Missing, ", "))
	case a.code == http.StatusOK && (a.Status == "ok" || a.Status == "partial"):
		return 0, nil
	case a.code == http.StatusNotFound:
		return 0, fmt.Errorf("there is no function %s", j.Function)
	case a.code == http.StatusConflict:
		return wait, fmt.Errorf("%s is running already", j.Function)
	case a.code == http.StatusTooManyRequests:
		if a.wait > maxWait {
			return 0, fmt.Errorf("the quota of %s is used up for another %s: %s", j.Function, a.wait.Round(time.Minute), reason)
		}
		return max(a.wait, wait), fmt.Errorf("the quota of %s is used up: %s", j.Function, reason)
	case a.code >= http.StatusInternalServerError:
		return wait, fmt.Errorf("%s failed: %s", j.Function, reason)
	default:
		return 0, fmt.Errorf("%s refused: %s", j.Function, reason)
	}
}

func (j Job) call(ctx context.Context, client *http.Client, from time.Time) (answer, error) {
	q := url.Values{"from": {day(from)}, "to": {day(j.To)}}
	address := strings.TrimSuffix(j.Gateway, "/") + "/function/" + url.PathEscape(j.Function) + "?" + q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	res, err := client.Do(req)
	if err != nil {
		return answer{}, j.unanswered(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	a := answer{code: res.StatusCode}
	if json.Unmarshal(b, &a) != nil && res.StatusCode == http.StatusOK {
		return answer{}, fmt.Errorf("the answer of %s is no JSON: %.100q", j.Function, b)
	}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		a.wait = time.Duration(n) * time.Second
	}
	return a, nil
}

// unanswered says what failed in a call that has no answer, without the call's address.
func (j Job) unanswered(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	gateway := j.Gateway
	if u, e := url.Parse(gateway); e == nil {
		gateway = u.Redacted()
	}
	return fmt.Errorf("%s: no answer from the gateway %s, is hearth up running? %w", j.Function, gateway, err)
}

// unreached reports whether there was no connection: at the first call, the address is wrong
// or nothing runs there.
func unreached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// day formats a time; midnight in UTC as the date alone.
func day(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}
