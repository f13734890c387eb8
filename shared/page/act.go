package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

// Act is what a person asks for with a button beside an alert.
type Act struct {
	Do      string        // ack, unack, silence, morning, maintenance or end
	Key     string        // of the alert
	Subject string        // of maintenance, and of the end of one: "device/office-air"
	For     time.Duration // of a silence or maintenance; 0 where Do says it
	Label   string        // of the button
}

const (
	silenceTime     = time.Hour
	maintenanceTime = 2 * time.Hour
)

// acts returns the buttons beside an alert.
func acts(a Alert) []Act {
	ack := Act{Do: "ack", Key: a.Key, Label: "Acknowledge"}
	if a.Acked {
		ack = Act{Do: "unack", Key: a.Key, Label: "Remind me again"}
	}
	if a.Muted {
		return []Act{ack, {Do: "end", Key: a.Key, Subject: a.Care, Label: "Tell me again"}}
	}
	out := []Act{ack, {Do: "silence", Key: a.Key, For: silenceTime, Label: "Silence 1 h"}, {Do: "morning", Key: a.Key, Label: "Until morning"}}
	if a.Care != "" {
		out = append(out, Act{Do: "maintenance", Key: a.Key, Subject: a.Care, For: maintenanceTime, Label: "Maintenance 2 h"})
	}
	return out
}

// act does what a button beside an alert asks for. The body is a form with do= and key=.
// 200 done, with a sentence; 400 the form has mistakes; 403 from another site; 404 there is
// no such button now; 503 the store cannot be reached.
func (p *Page) act(w http.ResponseWriter, r *http.Request) {
	if p.Act == nil {
		http.NotFound(w, r)
		return
	}
	form, ok := readForm(w, r, "do", "key")
	if !ok {
		return
	}
	a, ok := p.button(r.Context(), form.Get("do"), form.Get("key"))
	if !ok {
		http.Error(w, "the alert has changed: look at the page again", http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	st, err := p.Open(ctx)
	text := ""
	if err == nil {
		text, err = p.Act(ctx, st, a, p.Now())
	}
	if err != nil {
		http.Error(w, p.Redact(err.Error()), http.StatusServiceUnavailable)
		return
	}
	p.refresh()
	fmt.Fprintln(w, p.Redact(text))
}

// button returns the act of a button that the page shows.
func (p *Page) button(ctx context.Context, do, key string) (Act, bool) {
	open := p.snapshot(ctx).data.Alerts.Open
	i := slices.IndexFunc(open, func(a Alert) bool { return a.Key == key })
	if i < 0 {
		return Act{}, false
	}
	all := acts(open[i])
	i = slices.IndexFunc(all, func(a Act) bool { return a.Do == do })
	if i < 0 {
		return Act{}, false
	}
	return all[i], true
}

// refresh makes the next viewer read the alerts again.
func (p *Page) refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.collector != nil {
		p.collector.alerts.at = time.Time{}
	}
	p.last = nil
}

// readForm reads a request's form, which must come from this page and have each of these
// fields once and no other. If it has not, it answers.
func readForm(w http.ResponseWriter, r *http.Request, fields ...string) (url.Values, bool) {
	if err := otherSites.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return nil, false
	}
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

// houseOf is the House of an Inputs that has none: nothing is silenced.
func houseOf(context.Context, *store.Store, time.Time) (*alert.House, error) {
	return &alert.House{Mode: alert.Send}, nil
}
