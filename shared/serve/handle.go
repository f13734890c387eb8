package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/store"
)

// Env is the environment of a function.
type Env struct {
	config.Env
	Open   func(context.Context) (*store.Store, error) // returns the store; the first call opens it
	Beside *Beside                                     // runs work beside the answers
}

// process returns the environment of this process. Its store is the one that
// INFLUX_URL and the secret database-url name.
func process() Env {
	e := config.Process()
	return Env{Env: e, Beside: &beside, Open: Once(func(ctx context.Context) (*store.Store, error) {
		c, err := config.Parse[store.Config](e)
		if err != nil {
			return nil, err
		}
		return store.Open(ctx, c)
	})}
}

// openTime limits one attempt of Once. The caller's deadline does not.
const openTime = 10 * time.Second

// Once returns a function that calls open until it succeeds and then always returns
// that value. After a failure the next call tries again. Concurrent calls share one
// attempt and its result. A call stops waiting when its context ends; the attempt goes
// on for the others, for at most 10 s. The function is safe for concurrent use.
func Once[T any](open func(context.Context) (T, error)) func(context.Context) (T, error) {
	type attempt struct {
		done  chan struct{}
		value T
		err   error
	}
	var mu sync.Mutex
	var last *attempt // in progress or succeeded; nil before the first and after a failure
	try := func(ctx context.Context, a *attempt) {
		ctx, cancel := context.WithTimeout(ctx, openTime)
		defer cancel()
		if a.value, a.err = open(ctx); a.err != nil {
			mu.Lock()
			last = nil
			mu.Unlock()
		}
		close(a.done)
	}
	return func(ctx context.Context) (T, error) {
		mu.Lock()
		a := last
		if a == nil {
			a = &attempt{done: make(chan struct{})}
			last = a
			go try(context.WithoutCancel(ctx), a)
		}
		mu.Unlock()
		select {
		case <-a.done:
		case <-ctx.Done():
			select {
			case <-a.done: // the value exists: return it even though ctx has ended
			default:
				var none T
				return none, ctx.Err()
			}
		}
		return a.value, a.err
	}
}

// Handle returns the handler that the OpenFaaS template calls. It calls build with the
// process's environment at the first request. If build fails, the request is answered
// with 500 and the reason, and the next request tries again.
func Handle(build func(Env) (http.Handler, error)) http.HandlerFunc {
	return HandleIn(sync.OnceValue(process), build)
}

// HandleIn is Handle with an environment other than the process's.
func HandleIn(e func() Env, build func(Env) (http.Handler, error)) http.HandlerFunc {
	get := Once(func(context.Context) (http.Handler, error) { return build(e()) })
	return func(w http.ResponseWriter, r *http.Request) {
		h, err := get(r.Context())
		if err != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			w.Write(notStarted(e(), err))
			return
		}
		h.ServeHTTP(w, r)
	}
}

// HandleFunc is Handle for the template golang-http.
func HandleFunc(build func(Env) (func(handler.Request) (handler.Response, error), error)) func(handler.Request) (handler.Response, error) {
	e := sync.OnceValue(process)
	get := Once(func(context.Context) (func(handler.Request) (handler.Response, error), error) { return build(e()) })
	return func(r handler.Request) (handler.Response, error) {
		h, err := get(r.Context())
		if err != nil {
			return handler.Response{StatusCode: http.StatusInternalServerError, Body: notStarted(e(), err), Header: http.Header{"Content-Type": {"application/json"}}}, nil
		}
		return h(r)
	}
}

// notStarted logs why build failed and returns the body of the answer.
func notStarted(e Env, err error) []byte {
	e.Log.Error("not started", "err", err)
	b, _ := json.Marshal(map[string]string{"status": "failed", "error": e.Secrets.Redact(err.Error())}) // never fails: strings always encode
	return b
}
