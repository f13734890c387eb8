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

// Env is what a function may know of its surroundings.
type Env struct {
	config.Env
	Open func(context.Context) (*store.Store, error) // opens or returns the store
}

// process returns the surroundings of this process; its store is the one named
// by INFLUX_URL and the secret database-url.
func process() Env {
	e := config.Process()
	return Env{Env: e, Open: Once(func(ctx context.Context) (*store.Store, error) {
		c, err := config.Parse[store.Config](e)
		if err != nil {
			return nil, err
		}
		return store.Open(ctx, c)
	})}
}

// openTime is what one attempt of Once may take, whatever its caller allows.
const openTime = 10 * time.Second

// Once returns open such that its first success is kept and a failure is tried
// again at the next call. Calls during an attempt share its outcome; each waits
// as long as its own context lasts, which does not end the attempt.
func Once[T any](open func(context.Context) (T, error)) func(context.Context) (T, error) {
	type attempt struct {
		done  chan struct{}
		value T
		err   error
	}
	var mu sync.Mutex
	var last *attempt // under way, or the one that succeeded
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
			case <-a.done: // both are: what was opened before is there at once
			default:
				var none T
				return none, ctx.Err()
			}
		}
		return a.value, a.err
	}
}

// Handle is what the OpenFaaS template calls: the handler that build makes of
// the process's environment at the first request. Where build fails, the
// request is answered 500 with the reason and the next one tries again.
func Handle(build func(Env) (http.Handler, error)) http.HandlerFunc {
	return HandleIn(sync.OnceValue(process), build)
}

// HandleIn is Handle in other surroundings than the process's.
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

// notStarted logs why a function cannot be built, and returns the answer.
func notStarted(e Env, err error) []byte {
	e.Log.Error("not started", "err", err)
	b, _ := json.Marshal(map[string]string{"status": "failed", "error": e.Secrets.Redact(err.Error())}) // strings always encode
	return b
}
