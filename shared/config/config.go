// Package config gives a function its surroundings: variables, secrets and the
// store. It is the only package of functions/ and shared/ that knows where the
// process has them.
package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/caarlos0/env/v11"
	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
)

const secretsDir = "/var/openfaas/secrets"

// Env is what a function may know of its surroundings.
type Env struct {
	Vars    map[string]string
	Secrets *secret.Folder
	Open    func(context.Context) (*store.Store, error) // opens or returns the store
	Now     func() time.Time
	Log     *slog.Logger
	Sample  bool   // the upstream is a sample server: what is stored is marked
	Samples string // with Sample: what stands there for https:// ("http://127.0.0.1:41234/feeds/"), another at each start
}

// Process returns the surroundings of this process: its environment, the
// secrets that OpenFaaS mounts, the store named by INFLUX_URL and the secret
// database-url.
func Process() Env {
	e := Env{
		Vars:    env.ToMap(os.Environ()),
		Secrets: secret.NewFolder(secretsDir),
		Now:     time.Now,
	}
	if dir := e.Vars["secret_mount_path"]; dir != "" { // the name that OpenFaaS' own programs use
		e.Secrets = secret.NewFolder(dir)
	}
	e.Log = Logger(os.Stdout, e.Secrets)
	e.Open = Once(func(ctx context.Context) (*store.Store, error) {
		c, err := Parse[store.Config](e)
		if err != nil {
			return nil, err
		}
		return store.Open(ctx, c)
	})
	return e
}

// Once returns open such that its first success is kept and a failure is tried
// again at the next call.
func Once[T any](open func(context.Context) (T, error)) func(context.Context) (T, error) {
	var mu sync.Mutex
	var value T
	var ok bool
	return func(ctx context.Context) (T, error) {
		mu.Lock()
		defer mu.Unlock()
		if ok {
			return value, nil
		}
		v, err := open(ctx)
		if err == nil {
			value, ok = v, true
		}
		return v, err
	}
}

// Parse fills a T from the environment by its env tags; a field of type
// secret.String holds the secret that the variable names, one of type url.URL a
// web address. All that is missing
// or malformed is named in one error.
func Parse[T any](e Env) (T, error) {
	c, err := env.ParseAsWithOptions[T](env.Options{
		Environment: e.Vars,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[secret.String](): func(name string) (any, error) { return e.Secrets.Get(name), nil },
			reflect.TypeFor[url.URL](): func(s string) (any, error) {
				u, err := URL(s)
				if err != nil {
					return nil, err
				}
				return *u, nil
			},
		},
	})
	if err != nil {
		return c, errors.New(e.Secrets.Redact(fmt.Sprintf("configuration: %v", err)))
	}
	return c, nil
}

// Handle is what the OpenFaaS template calls: the handler that build makes of
// the process's environment at the first request. Where build fails, the
// request is answered 500 with the reason and the next one tries again.
func Handle(build func(Env) (http.Handler, error)) http.HandlerFunc {
	e := sync.OnceValue(Process)
	get := Once(func(context.Context) (http.Handler, error) { return build(e()) })
	return func(w http.ResponseWriter, r *http.Request) {
		h, err := get(r.Context())
		if err != nil {
			e().Log.Error("not started", "err", err)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			json.NewEncoder(w).Encode(map[string]string{"status": "failed", "error": e().Secrets.Redact(err.Error())})
			return
		}
		h.ServeHTTP(w, r)
	}
}

// HandleFunc is Handle for the template golang-http.
func HandleFunc(build func(Env) (func(handler.Request) (handler.Response, error), error)) func(handler.Request) (handler.Response, error) {
	e := sync.OnceValue(Process)
	get := Once(func(context.Context) (func(handler.Request) (handler.Response, error), error) { return build(e()) })
	return func(r handler.Request) (handler.Response, error) {
		h, err := get(r.Context())
		if err == nil {
			return h(r)
		}
		e().Log.Error("not started", "err", err)
		body, _ := json.Marshal(map[string]string{"status": "failed", "error": e().Secrets.Redact(err.Error())})
		return handler.Response{StatusCode: http.StatusInternalServerError, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}, nil
	}
}
