package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/hearth-home/hearth/shared/store"
)

const maxAsk = 4 << 10 // bytes of a request

// otherSites are refused: any web page in a person's browser can reach this one.
var otherSites = http.NewCrossOriginProtection()

// ask keeps what a person wants done with the dead letters of one cause, for the
// connector to fetch: a POST of action=replay or drop, and the id of the cause.
// 202 kept; 400 not understood; 403 from another site; 404 no such cause, as
// where its letters are gone by now; 503 the store is away or has no room.
func (p *Page) ask(w http.ResponseWriter, r *http.Request) {
	if err := otherSites.Check(r); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAsk)
	action, cause, err := asked(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d := p.look(r.Context()).data
	n := slices.IndexFunc(d.Dead, func(d Dead) bool { return d.ID == cause })
	if n < 0 {
		http.Error(w, "there are no dead letters of this cause any more", http.StatusNotFound)
		return
	}
	// What became a dead letter after the page was made is not meant.
	req := store.DeadRequest{Action: action, Function: d.Dead[n].Function, Cause: d.Dead[n].Reason, Requested: d.Now}
	if err := p.keep(r.Context(), req); err != nil {
		http.Error(w, p.Redact(err.Error()), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintln(w, "asked: the connector does it within a minute")
}

// asked reads a request, and refuses what it does not know.
func asked(r *http.Request) (action, cause string, err error) {
	if err := r.ParseForm(); err != nil {
		return "", "", fmt.Errorf("the request cannot be read: %w", err)
	}
	if len(r.URL.RawQuery) > 0 || len(r.PostForm) != 2 || len(r.PostForm["action"]) != 1 || len(r.PostForm["cause"]) != 1 {
		return "", "", errors.New("give action and cause, once each, and nothing else")
	}
	action, cause = r.PostForm.Get("action"), r.PostForm.Get("cause")
	if action != store.Replay && action != store.Drop {
		return "", "", fmt.Errorf("action is %.20q: write %s or %s", action, store.Replay, store.Drop)
	}
	return action, cause, nil
}

func (p *Page) keep(ctx context.Context, r store.DeadRequest) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	st, err := p.Open(ctx)
	if err != nil {
		return err
	}
	return st.AddDeadRequest(ctx, r)
}
