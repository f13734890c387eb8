// Package backfill asks a function for a span of its history, call by call,
// until it is complete.
package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Job is what to fill.
type Job struct {
	Gateway  string // http://127.0.0.1:8080
	Function string
	From, To time.Time     // To included, as the source takes a day
	pause    time.Duration // before trying again what may pass; 0: 3 s
}

// Progress is how far a backfill is.
type Progress struct {
	Done              float64 // 0 to 1
	Stored, Unchanged int
	left              time.Duration // estimated; 0: unknown
	Next              time.Time     // where it goes on
	waiting           string        // why nothing happens for the moment
	Sample            bool          // what came is sample data
}

const (
	timeout = time.Minute // of a call, which ends after 25 s by itself
	tries   = 5           // of a call that fails in a way that may pass
	turns   = 20          // of one that another run is in the way of: one that was killed is, for 35 s
	maxWait = 2 * time.Minute
)

// answer is what a source answers, as far as it matters here.
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

// Run fills the span and calls show after every call. Its error says what went
// wrong and from where to go on: what is stored stays, and a rerun fills only
// gaps.
func Run(ctx context.Context, j Job, show func(Progress)) (Progress, error) {
	client := &http.Client{Timeout: timeout, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	began := time.Now()
	p := Progress{Next: j.From}
	partial := ""
	for {
		a, err := j.persist(ctx, client, &p, show)
		if err != nil {
			if p.Next.After(j.From) {
				err = fmt.Errorf("%w; what came before is stored, go on from %s", err, day(p.Next))
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
			return p, fmt.Errorf("%s answered next %q, which leads nowhere: please report this as a bug", j.Function, a.Next)
		}
		p.Next = next
		p.Done = min(1, float64(next.Sub(j.From))/float64(j.To.AddDate(0, 0, 1).Sub(j.From)))
		if p.Done > 0 {
			p.left = time.Duration(float64(time.Since(began)) * (1 - p.Done) / p.Done)
		}
		show(p)
	}
	p.Done, p.left = 1, 0
	show(p)
	if partial != "" {
		return p, fmt.Errorf("parts of it failed: %s; run it again, it fills only the gaps", partial)
	}
	return p, nil
}

// persist repeats a call that failed in a way that may pass.
func (j Job) persist(ctx context.Context, client *http.Client, p *Progress, show func(Progress)) (answer, error) {
	defer func() { p.waiting = "" }()
	for failed, busy := 0, 0; ; {
		a, err := j.call(ctx, client, p.Next)
		if a.code == http.StatusConflict {
			busy++
		} else {
			failed++
		}
		wait, reason := j.judge(a, err)
		switch {
		case reason == nil:
			return a, nil
		case wait == 0 || failed == tries || busy == turns || ctx.Err() != nil:
			return a, reason
		}
		p.waiting = reason.Error()
		show(*p)
		select {
		case <-ctx.Done():
			return a, errors.New("stopped")
		case <-time.After(wait):
		}
	}
}

// judge returns why a call did not do its work, and how long to wait before
// the next try; 0: it will not help.
func (j Job) judge(a answer, err error) (time.Duration, error) {
	pause := j.pause
	if pause == 0 {
		pause = 3 * time.Second
	}
	said := a.Error
	if said == "" {
		said = fmt.Sprintf("it answered %d", a.code)
	}
	switch {
	case err != nil:
		return pause, fmt.Errorf("%s was not reached: %w", j.Function, err)
	case a.code == http.StatusOK && a.Status == "not_configured":
		return 0, fmt.Errorf("%s is not configured: it lacks %s", j.Function, strings.Join(a.Missing, ", "))
	case a.code == http.StatusOK && (a.Status == "ok" || a.Status == "partial"):
		return 0, nil
	case a.code == http.StatusNotFound:
		return 0, fmt.Errorf("there is no function %s", j.Function)
	case a.code == http.StatusConflict:
		return pause, fmt.Errorf("%s is running already", j.Function)
	case a.code == http.StatusTooManyRequests:
		if a.wait > maxWait {
			return 0, fmt.Errorf("the quota of %s is spent for another %s: %s", j.Function, a.wait.Round(time.Minute), said)
		}
		return max(a.wait, pause), fmt.Errorf("the quota of %s is spent: %s", j.Function, said)
	case a.code >= http.StatusInternalServerError:
		return pause, fmt.Errorf("%s failed: %s", j.Function, said)
	default:
		return 0, fmt.Errorf("%s refused: %s", j.Function, said)
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
		return answer{}, fmt.Errorf("is make up running? %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	a := answer{code: res.StatusCode}
	if json.Unmarshal(b, &a) != nil && res.StatusCode == http.StatusOK {
		return answer{}, fmt.Errorf("its answer is no JSON: %.100q", b)
	}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		a.wait = time.Duration(n) * time.Second
	}
	return a, nil
}

// day writes a whole day short.
func day(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}
