package status

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/hearth-home/hearth/shared/store"
)

const maxRequest = 4 << 10 // bytes of a request

// request stores a request to replay or drop the dead letters of one cause. The
// connector fetches it from the store. The body is a form with action=replay or
// action=drop, and cause= the id of the cause.
// 202 stored; 400 the form has mistakes; 404 no dead letters
// have this cause; 503 the store cannot be reached or has too many requests.
func (p *Page) request(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	action, cause, err := parseRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d := p.snapshot(r.Context()).data
	n := slices.IndexFunc(d.Dead, func(d Dead) bool { return d.ID == cause })
	if n < 0 {
		http.Error(w, "there are no dead letters of this cause any more", http.StatusNotFound)
		return
	}
	// The request does not cover letters that are newer than the page.
	req := store.DeadRequest{Action: action, Function: d.Dead[n].Function, Cause: d.Dead[n].cause, Requested: d.Now}
	if err := p.saveRequest(r.Context(), req); err != nil {
		http.Error(w, p.Redact(err.Error()), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintln(w, "requested: the connector does it within a minute")
}

// parseRequest reads the form, and refuses fields that it does not know.
func parseRequest(r *http.Request) (action, cause string, err error) {
	if err := r.ParseForm(); err != nil {
		return "", "", fmt.Errorf("the request cannot be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Form)) {
		if name != "action" && name != "cause" {
			return "", "", fmt.Errorf("unknown field %.40q: give action and cause, once each", name)
		}
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

// saveRequest adds the request to the store.
func (p *Page) saveRequest(ctx context.Context, r store.DeadRequest) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	st, err := p.Open(ctx)
	if err != nil {
		return err
	}
	return st.AddDeadRequest(ctx, r)
}
