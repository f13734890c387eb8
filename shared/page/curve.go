package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/page/texts"
)

// curve answers with the yield curve of the day on=2025-11-26, or of the nearest business day
// before; without on of the newest. As SVG it is drawn over the newest.
func (p *Page) curve(w http.ResponseWriter, r *http.Request) {
	v, err := p.viewOf(r)
	if err == nil && v.Name == glance.Guest {
		http.Error(w, "guests do not see markets", http.StatusForbidden)
		return
	}
	var on time.Time
	if err == nil {
		on, err = p.dayOf(r)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	kind, answer := "application/json", []byte(nil)
	if on.IsZero() && r.URL.Path == "/curve.json" {
		if on = p.Glance.Now(); !v.At.IsZero() {
			on = v.At
		}
		on = on.UTC().Truncate(24 * time.Hour)
	}
	if r.URL.Path == "/curve.svg" {
		kind = "image/svg+xml"
		answer, err = p.Glance.CurvePlot(r.Context(), v, on)
	} else if c, failed := p.Glance.Curve(r.Context(), v, on); failed != nil {
		err = failed
	} else {
		answer, err = json.Marshal(c)
	}
	switch {
	case errors.Is(err, glance.ErrNoCurve):
		http.Error(w, texts.Say("curve.backfill", on.Format(time.DateOnly), err), http.StatusNotFound)
	case err != nil:
		http.Error(w, p.Glance.Redact(err.Error()), http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", kind)
		w.Write(answer)
	}
}

// dayOf reads the day that a request asks for; zero: it asks for none.
func (p *Page) dayOf(r *http.Request) (time.Time, error) {
	q := r.URL.Query()
	for name := range q {
		if name != "on" && name != "view" && name != "at" {
			return time.Time{}, fmt.Errorf("%.40q is not known: this takes on=2025-11-26, view and at", name)
		}
	}
	if q.Get("on") == "" {
		return time.Time{}, nil
	}
	today := p.Glance.Now().UTC().Truncate(24 * time.Hour)
	on, err := time.Parse(time.DateOnly, q.Get("on"))
	switch {
	case err != nil:
		return on, fmt.Errorf("on is %.40q: write it as 2025-11-26", q.Get("on"))
	case on.After(today.Add(24 * time.Hour)): // in some zones it is tomorrow
		return on, fmt.Errorf("on is %s, which is to come", q.Get("on"))
	case on.Before(glance.FirstYields):
		return on, fmt.Errorf("on is %s: the first curve is of %s", q.Get("on"), glance.FirstYields.Format(time.DateOnly))
	}
	return on, nil
}
