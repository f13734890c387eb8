// Package live makes the sources of make up live from its page: it tries a key that a person
// pastes, writes it to .env, and gives it to the running function.
package live

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/page/steps"
	"github.com/hearth-home/hearth/shared/secret"
)

// tryTime is how long a trial may take; a function's own limit is the same.
const tryTime = 25 * time.Second

// Options are what the platform gives.
type Options struct {
	Root    string // the repository's folder
	File    string // .env
	Host    *host.Host
	Secrets *secret.Folder // what the platform redacts: a key that is saved is added
	// Blocks returns the functions with these variables, as the platform runs them.
	Blocks func(vars map[string]string) ([]stack.Function, error)
	// InEnvironment reports whether a variable is set in the environment of the process,
	// which takes precedence over .env.
	InEnvironment func(name string) bool
	// Started is called when a source has become live, to run it at once.
	Started   func(function string)
	First     func() bool   // the first day: see steps.Steps
	OwnBroker func() string // the address of the platform's own broker, "" before it has one
	Command   string        // how a person starts the platform: "make up"
}

// maker does what the forms of the first steps ask for.
type maker struct {
	Options

	mu          sync.Mutex
	tried       map[string][sha256.Size]byte // what was tried last and worked, by line
	bases       []string                     // the base topics of Zigbee2MQTT that the last trial of the broker found
	brokerSaved bool                         // the broker is in .env and not used yet
}

// New returns the first steps for the page.
func New(o Options) *steps.Steps {
	m := &maker{Options: o, tried: map[string][sha256.Size]byte{}}
	return &steps.Steps{Lines: m.lines, First: o.First, Fill: m.fill, Try: m.try, Save: m.save, Redact: o.Secrets.Redact}
}

// plan is what a form asks for.
type plan struct {
	function host.Function // as it runs now
	changes  map[string]string
	vars     map[string]string // the user's variables with the changes
	block    stack.Function    // of the stack file, with vars
}

func (m *maker) plan(name string, values map[string]string) (p plan, err error) {
	f, ok := m.function(name)
	if !ok {
		return p, &steps.Refusal{Code: http.StatusNotFound, Text: name + " does not run here"}
	}
	p = plan{function: f, changes: m.changes(f, values)}
	if err := m.mayChange(p.changes); err != nil {
		return p, err
	}
	p.vars = m.Host.With(p.changes)
	blocks, err := m.Blocks(p.vars)
	if err != nil {
		return p, errors.New("the stack file cannot be read with these values") // the error may quote one
	}
	i := slices.IndexFunc(blocks, func(b stack.Function) bool { return b.Name == name })
	if i < 0 {
		return p, &steps.Refusal{Code: http.StatusNotFound, Text: "the stack file has no function " + name}
	}
	p.block = blocks[i]
	return p, nil
}

// mayChange returns an error if .env does not decide about one of these variables.
func (m *maker) mayChange(changes map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(changes)) {
		if m.InEnvironment(k) {
			return &steps.Refusal{Code: http.StatusConflict, Text: k + " is set in the environment in which hearth runs, and takes precedence over .env: change it there and restart hearth"}
		}
	}
	return nil
}

// try asks the upstream once and stores nothing. Its error is what the upstream says.
func (m *maker) try(ctx context.Context, name string, values map[string]string) (steps.Result, error) {
	if name == brokerName {
		return m.tryBroker(ctx, values)
	}
	p, err := m.plan(name, values)
	if err != nil {
		return steps.Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	a, own, err := m.Host.Try(ctx, p.block, p.vars)
	redact := func(s string) string { return m.Secrets.Redact(own(s)) }
	switch {
	case err != nil:
		return steps.Result{}, errors.New(redact(err.Error()))
	case a.Status == "not_configured":
		return steps.Result{}, fmt.Errorf("%s still lacks %s", nameOf(p.function), strings.Join(a.Missing, " and "))
	case a.Error != "":
		return steps.Result{}, errors.New(redact(a.Error))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tried[name] = sum(values)
	return found(a, redact), nil
}

// save writes what was tried to .env, and makes the source live.
func (m *maker) save(_ context.Context, name string, values map[string]string) (steps.Result, error) {
	m.mu.Lock()
	defer m.mu.Unlock() // LIVE is changed by one call at a time
	if m.tried[name] != sum(values) {
		return steps.Result{}, &steps.Refusal{Code: http.StatusConflict, Text: "try it first: only what worked is saved"}
	}
	if name == brokerName {
		return m.saveBroker(values)
	}
	p, err := m.plan(name, values)
	if err != nil {
		return steps.Result{}, err
	}
	m.hide(p)
	if err := dotenv.Set(m.File, p.changes); err != nil {
		return steps.Result{}, unwritable(m.File, p.changes, err)
	}
	delete(m.tried, name)
	if err := m.Host.Replace(p.block, p.vars); err != nil {
		return steps.Result{}, fmt.Errorf("it is saved, and works after a restart of hearth: %w", err)
	}
	m.Started(name)
	return steps.Result{Title: "Saved in .env. " + nameOf(p.function) + " is live: its first run has started."}, nil
}

// hide makes the platform redact the secrets of a plan from now on.
func (m *maker) hide(p plan) {
	for name, v := range p.changes {
		if slices.ContainsFunc(p.block.Secrets, func(s string) bool { return host.Variable(s) == name }) {
			m.Secrets.Remember(v)
		} else {
			m.Secrets.Hide(v)
		}
	}
}

// unwritable says what to do about a .env that cannot be written.
func unwritable(file string, changes map[string]string, err error) error {
	return &steps.Refusal{Code: http.StatusServiceUnavailable, Text: fmt.Sprintf("nothing was changed, since .env cannot be written: %v. Make %s and its folder writable for the user that runs hearth, or set %s there yourself and restart hearth",
		err, file, strings.Join(slices.Sorted(maps.Keys(changes)), " and "))}
}

// sum identifies values without keeping them.
func sum(values map[string]string) [sha256.Size]byte {
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(h, "%q=%q\n", k, values[k])
	}
	return [sha256.Size]byte(h.Sum(nil))
}
