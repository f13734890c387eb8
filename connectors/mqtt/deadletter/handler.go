package deadletter

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

// Handler serves the dead letters over HTTP:
//
//	GET  /dead          list of dead letters; ?id= ?function= ?topic= (an MQTT filter) ?reason= ?cause=
//	GET  /dead/{id}     the dead letters of one message, with their payloads; it takes no parameters
//	POST /dead/replay   replays the matching ones: {"replayed":n,"on_the_way":m}; on_the_way: still in flight from an earlier replay.
//	                    With ?wait=5s it waits for what becomes of them: {…,"stored":n,"refused":[{"function","reason","letters"}],"waiting":n}
//	POST /dead/drop     removes the matching ones: {"dropped":n}
//
// Each call needs "Authorization: Bearer <token>", else the answer is 401, and 403 if
// no token is set. A replay or drop needs a filter, or ?all=true, and no body. An
// unknown, empty or repeated parameter is 400. A replay of only cut letters is 409.
func (l *Letters) Handler(token secret.String) http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /dead": l.serveList, "GET /dead/{id}": l.serveOne, "POST /dead/replay": l.serveReplay, "POST /dead/drop": l.serveDrop,
	} {
		mux.Handle(pattern, guard(token, serve))
	}
	return mux
}

// guard calls next only for requests that have the token.
func guard(secret secret.String, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := secret.Reveal()
		given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case token == "":
			answer(w, http.StatusForbidden, map[string]string{"error": "set the secret " + secret.Name() + " to use this"})
		case subtle.ConstantTimeCompare([]byte(token), []byte(given)) != 1:
			answer(w, http.StatusUnauthorized, map[string]string{"error": "the token is wrong or missing"})
		default:
			next(w, r)
		}
	})
}

// query parses the request's parameters, or answers 400 and returns false. For a
// request that changes letters, they must have a filter or all.
func query(w http.ResponseWriter, r *http.Request) (Query, time.Duration, bool) {
	q, wait, err := parseQuery(r.URL.RawQuery)
	if err == nil && wait > 0 && r.URL.Path != "/dead/replay" {
		err = errors.New("wait is for /dead/replay only")
	}
	if err == nil && r.Method == http.MethodPost {
		if err = checkBody(r); err == nil {
			err = q.checkPicks()
		}
	}
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	return q, wait, err == nil
}

// checkBody returns an error if the request has a body: the parameters in it would be
// ignored. The error names the first one of a form or of a JSON object.
func checkBody(r *http.Request) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	if len(b) == 0 {
		return nil
	}
	name := strings.TrimLeft(string(b), " \t\r\n{\"'")
	if i := strings.IndexAny(name, "=:\"'&;, \t\r\n"); i >= 0 {
		name = name[:i]
	}
	if !slices.Contains(parameters, name) {
		return fmt.Errorf("the body is not read, write the parameters into the URL: %w", unknown(name))
	}
	return fmt.Errorf("the body is not read: write %s into the URL, as in %s?function=sensors", name, r.URL.Path)
}

func (l *Letters) serveList(w http.ResponseWriter, r *http.Request) {
	q, _, ok := query(w, r)
	if !ok {
		return
	}
	ds := l.List(q)
	for i := range ds {
		ds[i] = l.shown(ds[i])
	}
	answer(w, http.StatusOK, ds)
}

func (l *Letters) serveOne(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "" {
		answer(w, http.StatusBadRequest, map[string]string{"error": r.URL.Path + " takes no parameters"})
		return
	}
	var out []Letter
	for _, d := range l.List(Query{ID: r.PathValue("id")}) {
		if whole, err := l.read(fileName(d.Function, d.ID)); err == nil {
			out = append(out, l.shown(*whole))
		}
	}
	if len(out) == 0 {
		answer(w, http.StatusNotFound, map[string]string{"error": "there is no such dead letter"})
		return
	}
	answer(w, http.StatusOK, out)
}

func (l *Letters) serveReplay(w http.ResponseWriter, r *http.Request) {
	q, wait, ok := query(w, r)
	if !ok {
		return
	}
	done, err := l.replayAndWait(r.Context(), q, wait)
	switch reason := done.refused(); {
	case err != nil:
		l.failed(w, "replayed", done.Replayed, err)
	case reason != "":
		answer(w, http.StatusConflict, map[string]any{"cut": done.Cut, "error": reason})
	default:
		answer(w, http.StatusOK, done)
	}
}

func (l *Letters) serveDrop(w http.ResponseWriter, r *http.Request) {
	q, _, ok := query(w, r)
	if !ok {
		return
	}
	n, err := l.drop(q)
	if err != nil {
		l.failed(w, "dropped", n, err)
		return
	}
	answer(w, http.StatusOK, map[string]int{"dropped": n})
}

// failed answers 500, with the number n of letters for which the call succeeded.
func (l *Letters) failed(w http.ResponseWriter, key string, n int, err error) {
	answer(w, http.StatusInternalServerError, map[string]any{key: n, "error": l.o.Redact(err.Error(), reasonBytes)})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // fails only if the client has disconnected
}
