// Package config gives a program its environment: variables, secrets, a clock and a
// log. It is the only package of functions/ and shared/ that reads them from the
// process.
package config

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/secret"
)

const secretsDir = "/var/openfaas/secrets"

// Env is the environment of a program.
type Env struct {
	Vars    map[string]string
	Secrets *secret.Folder
	Now     func() time.Time
	Log     *slog.Logger
	Sample  bool   // the upstream is a sample server; stored data is marked as sample data
	Samples string // with Sample: the sample server's URL that replaces https:// ("http://127.0.0.1:41234/feeds/"); it changes at each start
}

// Process returns the environment of this process: its variables, the secrets that
// OpenFaaS mounts, the system's clock and a log on stdout.
func Process() Env {
	e := Env{
		Vars:    env.ToMap(os.Environ()),
		Secrets: secret.NewFolder(secretsDir),
		Now:     time.Now, // clock: the only use of the system's clock
	}
	if dir := e.Vars["secret_mount_path"]; dir != "" { // the name that OpenFaaS' own programs use
		e.Secrets = secret.NewFolder(dir)
	}
	e.Log = Logger(os.Stdout, e.Secrets)
	return e
}

// Parse fills a T from the variables that its env tags name. For a field of type
// secret.String, the variable holds the secret's name. For one of type url.URL, it
// holds a web address. One error names everything that is missing or malformed, and
// variables whose names are probably mistyped; without an error these are logged.
func Parse[T any](e Env) (T, error) {
	for _, v := range e.Vars {
		e.Secrets.Hide(v)
	}
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
	typos := Typos(e.Vars, Names(reflect.TypeFor[T]()))
	if err != nil {
		return c, errors.New(e.Secrets.Redact("configuration: " + strings.Join(append(typos, Explain(err, reflect.TypeFor[T](), e.Vars)), "; ")))
	}
	if e.Log != nil {
		for _, t := range typos {
			e.Log.Warn("configuration: " + t)
		}
	}
	return c, nil
}

// Names returns the variables that a Config struct of type t reads.
func Names(t reflect.Type) (names []string) {
	params, err := env.GetFieldParams(reflect.New(t).Interface())
	if err != nil {
		return nil // Parse reports it
	}
	for _, p := range params {
		names = append(names, p.Key)
	}
	return names
}

// Typos names the variables that are one of known with a typing mistake, and says what was
// probably meant.
func Typos(vars map[string]string, known []string) (found []string) {
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if meant := nearest.Typo(name, known); meant != "" {
			found = append(found, fmt.Sprintf("%s is no setting: did you mean %s?", name, meant))
		}
	}
	return found
}

// Explain says of each variable what is wrong with it and what to write. err is from the
// library env, which names the fields of t; vars are the variables that it parsed.
func Explain(err error, t reflect.Type, vars map[string]string) string {
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return err.Error()
	}
	var said []string
	for _, err := range all.Errors {
		e, ok := errors.AsType[env.ParseError](err)
		if names := variables(t, e, ""); ok && len(names) == 1 {
			err = Malformed(names[0], vars[names[0]], e)
		}
		said = append(said, err.Error())
	}
	return strings.Join(said, "; ")
}

// Malformed is the error of a variable that the library env could not parse: it says what
// to write. It quotes values of simple types only: an address may hold a key.
func Malformed(name, value string, e env.ParseError) error {
	want := map[reflect.Kind]string{
		reflect.Bool: "true or false", reflect.Float64: "a number",
		reflect.Int: "a whole number", reflect.Int64: "a whole number", reflect.Uint64: "a whole number of 0 or more",
	}[e.Type.Kind()]
	if e.Type == reflect.TypeFor[time.Duration]() {
		want = "a duration such as 90s, 15m or 2h"
	}
	if _, own := reflect.New(e.Type).Interface().(encoding.TextUnmarshaler); own || want == "" {
		return fmt.Errorf("%s: %w", name, e.Err)
	}
	if m := meant(name, value, e.Type); m != "" {
		return fmt.Errorf("%s is %q: did you mean %s? Write %s", name, value, m, want)
	}
	return fmt.Errorf("%s is %q: write %s", name, value, want)
}

// variables are those that an error may be about, by the field's name and type.
func variables(t reflect.Type, e env.ParseError, prefix string) (names []string) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		switch {
		case name != "":
			if f.Name == e.Name && f.Type == e.Type {
				names = append(names, prefix+name)
			}
		case f.Type.Kind() == reflect.Struct:
			names = append(names, variables(f.Type, e, prefix+f.Tag.Get("envPrefix"))...)
		}
	}
	return names
}
