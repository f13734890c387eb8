// Package config gives a program its surroundings: variables, secrets, clock and
// log. It is the only package of functions/ and shared/ that knows where the
// process has them.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"reflect"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/shared/secret"
)

const secretsDir = "/var/openfaas/secrets"

// Env is what a program may know of its surroundings.
type Env struct {
	Vars    map[string]string
	Secrets *secret.Folder
	Now     func() time.Time
	Log     *slog.Logger
	Sample  bool   // the upstream is a sample server: what is stored is marked
	Samples string // with Sample: what stands there for https:// ("http://127.0.0.1:41234/feeds/"), another at each start
}

// Process returns the surroundings of this process: its environment and the
// secrets that OpenFaaS mounts.
func Process() Env {
	e := Env{
		Vars:    env.ToMap(os.Environ()),
		Secrets: secret.NewFolder(secretsDir),
		Now:     time.Now, // clock: here it comes in
	}
	if dir := e.Vars["secret_mount_path"]; dir != "" { // the name that OpenFaaS' own programs use
		e.Secrets = secret.NewFolder(dir)
	}
	e.Log = Logger(os.Stdout, e.Secrets)
	return e
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
