package status

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/action"
	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// button is a button beside an alert.
type button struct {
	Do    action.Do
	Label string
}

// buttons returns the buttons beside an alert. Silence and maintenance last as long as
// package action has it.
func buttons(a Alert) []button {
	out := []button{{action.Ack, "Acknowledge"}}
	if a.Acked {
		out = []button{{action.Unack, "Remind me again"}}
	}
	switch {
	case a.Silenced:
		return append(out, button{action.Unsilence, "End the silence"})
	case a.Maintained:
		return append(out, button{action.EndMaintenance, "End the maintenance"})
	}
	out = append(out, button{action.Silence, "Silence 1 h"}, button{action.Morning, "Until morning"})
	if a.Device != "" {
		out = append(out, button{action.Maintenance, "Maintenance 2 h"})
	}
	return out
}

// act does what a button beside an alert asks for. The body is a form with do= and key=.
// 200 done, with a sentence; 400 the form has mistakes; 404 there is no such button now; 409 the
// alert has changed; 503 the store cannot be reached.
func (p *Page) act(w http.ResponseWriter, r *http.Request) {
	form, ok := readForm(w, r, "do", "key")
	if !ok {
		return
	}
	do, key := action.Do(form.Get("do")), form.Get("key")
	if !p.hasButton(r.Context(), do, key) {
		http.Error(w, "the alert has changed: look at the page again", http.StatusNotFound)
		return
	}
	p.carryOut(w, r, action.Action{Do: do, Alert: key, At: p.Now()})
}

// carryOut does what a person decided, and answers.
func (p *Page) carryOut(w http.ResponseWriter, r *http.Request, a action.Action) {
	note, err := p.apply(r.Context(), a)
	if refusal, ok := errors.AsType[*action.Refusal](err); ok {
		http.Error(w, p.Redact(refusal.Error()), http.StatusConflict)
		return
	}
	if err != nil {
		http.Error(w, p.Redact(err.Error()), http.StatusServiceUnavailable)
		return
	}
	p.refresh()
	fmt.Fprintln(w, p.Redact(note))
}

func (p *Page) apply(ctx context.Context, a action.Action) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	st, err := p.Open(ctx)
	if err != nil {
		return "", err
	}
	house, err := p.house(ctx, st, a.At)
	if err != nil {
		return "", err
	}
	answer, err := action.Apply(ctx, st, house, a, a.At)
	return answer.Note, err
}

// hasButton reports whether the page shows this button.
func (p *Page) hasButton(ctx context.Context, do action.Do, key string) bool {
	return slices.ContainsFunc(p.snapshot(ctx).data.Alerts.Open, func(a Alert) bool {
		return a.Key == key && slices.ContainsFunc(buttons(a), func(b button) bool { return b.Do == do })
	})
}

// refresh makes the next viewer read again what a person can change.
func (p *Page) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.collector != nil {
		p.collector.alerts.at, p.collector.platform.at, p.collector.register.read = time.Time{}, time.Time{}, time.Time{}
	}
	p.last = nil
}

// readForm reads a request's form, which must have each of these fields once and no other. If
// it has not, it answers.
func readForm(w http.ResponseWriter, r *http.Request, fields ...string) (url.Values, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	err := r.ParseForm()
	for name := range r.Form {
		if !slices.Contains(fields, name) {
			err = errors.Join(err, fmt.Errorf("unknown field %.40q", name))
		}
	}
	for _, name := range fields {
		if len(r.PostForm[name]) != 1 || len(r.Form[name]) != 1 {
			err = errors.Join(err, fmt.Errorf("give %s once", name))
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil, false
	}
	return r.PostForm, true
}

// house returns who is told what; without the input House nothing is silenced.
func (s Inputs) house(ctx context.Context, st *store.Store, now time.Time) (*alert.House, error) {
	if s.House == nil {
		return &alert.House{Mode: alert.Send}, nil
	}
	return s.House(ctx, st, now)
}
