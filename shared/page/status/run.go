package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/printable"
)

const (
	runTime   = 15 * time.Second // to wait for a source; its run goes on after it
	maxAnswer = 1 << 20          // bytes of a source's answer
	maxSaid   = 400              // bytes of it that are shown
)

// CanRun reports whether the page offers to run the function again.
func (f Function) CanRun() bool { return f.Schedule != "" && !f.Next.IsZero() && f.State != Broken }

// run runs a source again, through the gateway. The body is a form with function=.
// 200 it ran, with the outcome; 202 it still runs; 400 the form has mistakes; 404 the page does
// not offer that, or the function is not deployed; 409 it runs already; 502 it failed; 503 no
// gateway can be reached.
func (p *Page) run(w http.ResponseWriter, r *http.Request) {
	form, ok := readForm(w, r, "function")
	if !ok {
		return
	}
	name := form.Get("function")
	offered := func(f Function) bool { return f.Name == name && f.CanRun() }
	if p.Gateway == nil || !slices.ContainsFunc(p.snapshot(r.Context()).data.Functions, offered) {
		http.Error(w, "the page offers no run of this function: look at it again", http.StatusNotFound)
		return
	}
	code, said := p.call(r.Context(), name)
	p.refresh()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintln(w, printable.Line(said))
}

// call calls a function as its schedule does, and says what came of it.
func (p *Page) call(ctx context.Context, function string) (code int, said string) {
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	at, err := url.JoinPath(p.Gateway(), "function", function)
	if err != nil {
		return http.StatusServiceUnavailable, p.Redact(err.Error())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, nil)
	if err != nil {
		return http.StatusServiceUnavailable, p.Redact(err.Error())
	}
	a, err := http.DefaultClient.Do(r)
	if err == nil {
		defer a.Body.Close()
		var body []byte
		if body, err = io.ReadAll(io.LimitReader(a.Body, maxAnswer)); err == nil {
			return p.outcome(function, a.StatusCode, body)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusAccepted, "it still runs: this line shows the outcome when it has ended"
	}
	return http.StatusServiceUnavailable, "the gateway cannot be reached: " + p.Redact(err.Error())
}

// outcome puts a function's answer into a sentence.
func (p *Page) outcome(function string, code int, body []byte) (int, string) {
	var a struct {
		Status    string   `json:"status"`
		Stored    *int     `json:"stored"`
		Unchanged int      `json:"unchanged"`
		Missing   []string `json:"missing"`
		Warnings  []string `json:"warnings"`
		Error     string   `json:"error"`
	}
	known := json.Unmarshal(body, &a) == nil && a.Status != ""
	why := strings.Join(append([]string{a.Error}, a.Warnings...), "; ")
	if a.Error == "" {
		why = strings.Join(a.Warnings, "; ")
	}
	switch {
	case !known && code == http.StatusNotFound:
		return http.StatusNotFound, function + " is not deployed at the gateway"
	case code == http.StatusConflict:
		return http.StatusConflict, "it runs already"
	case !known:
		return http.StatusBadGateway, p.brief(fmt.Sprintf("the gateway answered %d: %s", code, body))
	case a.Status == "not_configured":
		return http.StatusBadGateway, p.brief("it lacks " + text(a.Missing))
	case code >= http.StatusMultipleChoices:
		return http.StatusBadGateway, p.brief("failed: " + why)
	}
	said := a.Status
	if a.Stored != nil {
		said += fmt.Sprintf(": %d new, %d unchanged", *a.Stored, a.Unchanged)
	}
	if why != "" {
		said += "; " + why
	}
	return http.StatusOK, p.brief(said)
}

// brief redacts a text before it shortens it.
func (p *Page) brief(s string) string {
	s = p.Redact(s)
	if len(s) > maxSaid {
		s = strings.ToValidUTF8(s[:maxSaid], "") + "…"
	}
	return s
}
