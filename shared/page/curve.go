package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hearth-home/hearth/shared/page/glance"
)

// firstYields is the first day that a source has a curve of.
var firstYields = time.Date(1962, 1, 2, 0, 0, 0, 0, time.UTC)

// curve answers with the yield curve of the day on=2025-11-26, or of the nearest business day
// before; without on of the newest.
func (p *Page) curve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("view") == glance.Guest {
		http.Error(w, "guests do not see markets", http.StatusForbidden)
		return
	}
	on, err := p.dayOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c, err := p.Glance.Curve(r.Context(), on)
	switch {
	case errors.Is(err, glance.ErrNoCurve):
		http.Error(w, fmt.Sprintf("%s: %v; make backfill fetches earlier ones", on.Format(time.DateOnly), err), http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, p.Glance.Redact(err.Error()), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(c)
}

// dayOf reads the day that a request asks for.
func (p *Page) dayOf(r *http.Request) (time.Time, error) {
	q := r.URL.Query()
	for name := range q {
		if name != "on" && name != "view" {
			return time.Time{}, fmt.Errorf("%.40q is not known: this takes on=2025-11-26 and view", name)
		}
	}
	today := p.Glance.Now().UTC().Truncate(24 * time.Hour)
	if q.Get("on") == "" {
		return today, nil
	}
	on, err := time.Parse(time.DateOnly, q.Get("on"))
	switch {
	case err != nil:
		return on, fmt.Errorf("on is %.40q: write it as 2025-11-26", q.Get("on"))
	case on.After(today.Add(24 * time.Hour)): // in some zones it is tomorrow
		return on, fmt.Errorf("on is %s, which is to come", q.Get("on"))
	case on.Before(firstYields):
		return on, fmt.Errorf("on is %s: the first curve is of %s", q.Get("on"), firstYields.Format(time.DateOnly))
	}
	return on, nil
}
