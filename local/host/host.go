// Package host runs functions in this process. Each function has its own environment,
// secrets and HTTP listener. The secrets are in memory, so that no other process changes
// them. A source asks its real upstreams or, without a key, the sample server.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/local/sample"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

// Builder is the New of a function's package: it returns the function's handler.
type Builder = func(serve.Env) (http.Handler, error)

// State says which data a function works on, or why it works on none.
type State string

const (
	Live         State = "live"           // it asks its real upstreams, or has none
	Sample       State = "sample"         // its upstreams are the sample server
	Unconfigured State = "not configured" // the user wants it live, and a key is missing
	Broken       State = "broken"         // it cannot start, as its settings are wrong: each call answers an error
)

// Function is a function that runs in this process.
type Function struct {
	stack.Function
	State   State
	Missing []string // the variables that the user must set to make it live
	Reason  string   // why it is broken
	URL     *url.URL // where it listens
}

// Options are the settings that all functions share.
type Options struct {
	Root    string            // the repository's folder, with the samples
	Files   map[string]string // secrets that are the user's files: paths by name; a file need not exist
	Vars    map[string]string // the variables that the user set
	Build   map[string]Builder
	Open    func(context.Context) (*store.Store, error)
	Samples string // the sample server's address
	Log     func(*secret.Folder) *slog.Logger
	Now     func() time.Time
	// LiveBefore has the sources that have stored live data: they have no samples, which would
	// stand beside it.
	LiveBefore map[string]bool
}

// Host runs functions. It is safe for concurrent use.
type Host struct {
	Options
	servers []*http.Server
	done    sync.WaitGroup
	beside  *serve.Beside

	mu        sync.Mutex // of all below, and of Vars
	functions []Function
	handlers  []*handler // of functions
}

// Functions returns the functions that run.
func (h *Host) Functions() []Function {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.functions)
}

// Start starts the functions of fs that o.Build has; it skips the others. After an error
// none is running. A function that cannot start is no error and is not logged: it is Broken.
func Start(o Options, fs []stack.Function) (*Host, error) {
	h := &Host{Options: o, beside: &serve.Beside{}}
	for _, f := range fs {
		build, ok := o.Build[f.Name]
		if !ok {
			continue // its folder is absent: no error
		}
		if err := h.start(f, build); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f.Name, err), h.Stop(context.Background()))
		}
	}
	return h, nil
}

func (h *Host) start(f stack.Function, build Builder) error {
	out := Function{Function: f}
	env, err := h.prepare(&out, build)
	if err != nil {
		return err
	}
	srv, err := server(f.Name, env, build)
	if err != nil {
		out.State, out.Reason = Broken, env.Secrets.Redact(err.Error())
		if srv, err = brokenServer(env, err); err != nil {
			return err
		}
	}
	now := &handler{}
	now.serves(srv.Handler)
	srv.Handler = gateway.Guard(now)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	out.URL = &url.URL{Scheme: "http", Host: l.Addr().String()}
	h.functions, h.handlers = append(h.functions, out), append(h.handlers, now)
	h.servers = append(h.servers, srv)
	h.done.Go(func() { _ = srv.Serve(l) }) // ends with ErrServerClosed
	return nil
}

// server returns an HTTP server with the limits of the function's image. The function
// names itself in its own log entries; the server's get the name here.
func server(name string, env serve.Env, build Builder) (*http.Server, error) {
	h, err := build(env)
	if err != nil {
		return nil, err
	}
	env.Log = env.Log.With("function", name)
	return serve.Server(h, env.Env)
}

// brokenServer answers each call with reason, as the image of a function with wrong
// settings does. It does not log it at each call.
func brokenServer(env serve.Env, reason error) (*http.Server, error) {
	env.Vars = nil // a wrong variable may be the reason: use the default limits
	env.Log = slog.New(slog.DiscardHandler)
	h := serve.HandleIn(func() serve.Env { return env }, func(serve.Env) (http.Handler, error) { return nil, reason })
	return serve.Server(h, env.Env)
}

// Stop ends all servers. Requests in flight may finish while ctx lasts; then they are
// cut off, which is an error.
func (h *Host) Stop(ctx context.Context) error {
	var errs []error
	for i, srv := range h.servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s was cut off: %w", h.functions[i].Name, err), srv.Close())
		}
	}
	h.done.Wait()
	return errors.Join(append(errs, h.beside.Stop(ctx))...)
}

// prepare sets f.State and f.Missing, and returns the function's environment.
func (h *Host) prepare(f *Function, build Builder) (serve.Env, error) {
	env := h.env(f.Function)
	f.State = Live
	folder := sampleFolder(h.Root, f.Function)
	if folder == nil {
		return env, nil
	}
	missing := probe(build, env)
	f.Missing = variables(missing)
	live := h.liveRequested(f.Function) || len(missing) == 0 && h.ownVariableSet(f.Function) || h.LiveBefore[f.Name]
	switch {
	case live && len(missing) > 0:
		f.State = Unconfigured
		return env, nil
	case live:
		return env, nil
	}
	f.State = Sample
	return h.sampleEnv(f.Function, folder, build)
}

// sampleEnv returns the function's environment with the upstreams' addresses replaced by
// the sample server's. A missing key is given a placeholder.
func (h *Host) sampleEnv(f stack.Function, folder fs.FS, build Builder) (serve.Env, error) {
	env := h.env(f)
	env.Sample, env.Samples = true, sample.Base(h.Samples, f.Name)
	if err := Overlay(env.Vars, folder); err != nil {
		return env, err
	}
	for k, v := range env.Vars {
		if !common[k] {
			env.Vars[k] = sample.Redirect(v, h.Samples, f.Name)
		}
	}
	return h.withSecrets(env, f, secretsOf(probe(build, env))), nil
}

func (h *Host) env(f stack.Function) serve.Env {
	vars := make(map[string]string, len(f.Env))
	for k, v := range f.Env {
		vars[k] = v
	}
	return h.withSecrets(serve.Env{Env: config.Env{Vars: vars, Now: h.Now}, Open: h.Open, Beside: h.beside}, f, nil)
}

// withSecrets returns env with the secrets that the function's block names and the user
// has set, and with a logger that redacts them. A secret in samples that the user has not
// set is a placeholder.
func (h *Host) withSecrets(env serve.Env, f stack.Function, samples []string) serve.Env {
	values, files := map[string]string{}, map[string]string{}
	for _, name := range f.Secrets {
		switch v := h.Vars[Variable(name)]; {
		case h.Files[name] != "":
			files[name] = h.Files[name]
		case v != "":
			values[name] = v
		case slices.Contains(samples, name):
			values[name] = sampleSecret
		}
	}
	env.Secrets = secret.InMemory(values, files)
	env.Log = h.Log(env.Secrets)
	return env
}

// sampleFolder returns the function's folder of samples, or nil if it has none.
func sampleFolder(root string, f stack.Function) fs.FS {
	dir := filepath.Join(root, filepath.FromSlash(f.Folder), "sample")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil
	}
	return os.DirFS(dir)
}

// SampleFolders returns the folders of samples by function; a function without samples
// is left out.
func SampleFolders(root string, functions []stack.Function) map[string]fs.FS {
	out := map[string]fs.FS{}
	for _, f := range functions {
		if folder := sampleFolder(root, f); folder != nil {
			out[f.Name] = folder
		}
	}
	return out
}
