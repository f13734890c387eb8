package deadletter

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/hearth-home/hearth/shared/secret"
)

// Handler serves the letters to who has the token:
//
//	GET  /dead          list of dead letters; ?id= ?function= ?topic= (a filter) ?reason=
//	GET  /dead/{id}     the letters of one message, with their bytes
//	POST /dead/replay   puts the matching ones back; {"replayed":n}, and "on_the_way" those that were put back before
//	POST /dead/drop     removes the matching ones, or with ?all=true all; {"dropped":n}
//
// They want "Authorization: Bearer <token>". A parameter that is not understood
// is refused (400).
func (l *Letters) Handler(token secret.String) http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request){
		"GET /dead": l.serveList, "GET /dead/{id}": l.serveOne, "POST /dead/replay": l.serveReplay, "POST /dead/drop": l.serveDrop,
	} {
		mux.Handle(pattern, guard(token, serve))
	}
	return mux
}

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

func query(w http.ResponseWriter, r *http.Request) (Query, bool) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	return q, err == nil
}

func (l *Letters) serveList(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r)
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
	q, ok := query(w, r)
	if !ok {
		return
	}
	done, err := l.Replay(r.Context(), q)
	switch why := done.refused(); {
	case err != nil:
		l.failed(w, "replayed", done.Replayed, err)
	case why != "":
		answer(w, http.StatusConflict, map[string]any{"cut": done.Cut, "error": why})
	default:
		answer(w, http.StatusOK, done)
	}
}

func (l *Letters) serveDrop(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r)
	if !ok {
		return
	}
	if err := q.forDrop(); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	n, err := l.drop(q)
	if err != nil {
		l.failed(w, "dropped", n, err)
		return
	}
	answer(w, http.StatusOK, map[string]int{"dropped": n})
}

func (l *Letters) failed(w http.ResponseWriter, what string, n int, err error) {
	answer(w, http.StatusInternalServerError, map[string]any{what: n, "error": l.o.Redact(err.Error(), reasonBytes)})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the caller left
}
