// Package host runs functions in this process, each with its own environment,
// secrets folder and listener, on its upstreams or on samples.
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
	"sync"
	"time"

	"github.com/hearth-home/hearth/local/sample"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

// Builder is a function folder's New.
type Builder = func(serve.Env) (http.Handler, error)

// State says what a function works on.
type State string

const (
	Live         State = "live"
	Sample       State = "sample"
	Unconfigured State = "not configured"
	Broken       State = "broken"
)

// Function is one that runs here.
type Function struct {
	stack.Function
	State   State
	Missing []string // the variables that would make it live
	Reason  string   // why it is broken
	URL     *url.URL // where it listens
}

// Options is what the functions have in common.
type Options struct {
	Root    string            // the repository, for the samples
	Secrets string            // where each function gets a folder of secrets
	Files   map[string]string // secrets that are files of the user's, by name: they may be there later, or never
	Vars    map[string]string // what the user set
	Build   map[string]Builder
	Open    func(context.Context) (*store.Store, error)
	Samples string // the sample server's address
	Log     func(*secret.Folder) *slog.Logger
	Now     func() time.Time
}

// Host is the running functions.
type Host struct {
	Options
	Functions []Function
	servers   []*http.Server
	done      sync.WaitGroup
}

// Start serves those of fs that are built in. On an error nothing is left
// running.
func Start(o Options, fs []stack.Function) (*Host, error) {
	h := &Host{Options: o}
	for _, f := range fs {
		build, ok := o.Build[f.Name]
		if !ok {
			continue // absent, not failed
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
		env.Log = env.Log.With("function", f.Name)
		env.Log.Error("not started", "err", err)
		env.Vars = nil // they may be what is wrong
		if srv, err = serve.Server(broken(env, err), env.Env); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	out.URL = &url.URL{Scheme: "http", Host: l.Addr().String()}
	h.Functions = append(h.Functions, out)
	h.servers = append(h.servers, srv)
	h.done.Go(func() { _ = srv.Serve(l) }) // ends with ErrServerClosed
	return nil
}

// server is that of the function's image.
func server(name string, env serve.Env, build Builder) (*http.Server, error) {
	h, err := build(env)
	if err != nil {
		return nil, err
	}
	env.Log = env.Log.With("function", name)
	return serve.Server(h, env.Env)
}

// broken answers what the image of a function that cannot be built does.
func broken(env serve.Env, err error) http.Handler {
	return serve.HandleIn(func() serve.Env { return env }, func(serve.Env) (http.Handler, error) { return nil, err })
}

// Stop lets requests finish while ctx lasts.
func (h *Host) Stop(ctx context.Context) error {
	var errs []error
	for i, srv := range h.servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s was cut off: %w", h.Functions[i].Name, err), srv.Close())
		}
	}
	h.done.Wait()
	return errors.Join(errs...)
}

// prepare writes the secrets of a function, decides what it works on and
// returns its surroundings.
func (h *Host) prepare(f *Function, build Builder) (serve.Env, error) {
	if err := h.writeSecrets(f.Function, nil); err != nil {
		return serve.Env{}, err
	}
	env := h.env(f.Function)
	f.State = Live
	folder := sampleFolder(h.Root, f.Function)
	if folder == nil {
		return env, nil
	}
	missing := probe(build, env)
	if h.wanted(f.Function) || len(missing) == 0 && h.chosen(f.Function) {
		if len(missing) > 0 {
			f.State, f.Missing = Unconfigured, variables(missing)
		}
		return env, nil
	}
	f.State, f.Missing = Sample, variables(missing)
	return h.sampleEnv(f.Function, folder, build)
}

// sampleEnv is env with the upstreams turned to the samples and a key of no
// value where the function wants one.
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
	return env, h.writeSecrets(f, secretsOf(probe(build, env)))
}

func (h *Host) env(f stack.Function) serve.Env {
	vars := make(map[string]string, len(f.Env))
	for k, v := range f.Env {
		vars[k] = v
	}
	secrets := secret.NewFolder(filepath.Join(h.Secrets, f.Name))
	return serve.Env{Env: config.Env{Vars: vars, Secrets: secrets, Now: h.Now, Log: h.Log(secrets)}, Open: h.Open}
}

// sampleFolder returns the function's samples, nil where it has none.
func sampleFolder(root string, f stack.Function) fs.FS {
	dir := filepath.Join(root, filepath.FromSlash(f.Folder), "sample")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil
	}
	return os.DirFS(dir)
}

// SampleFolders returns the samples of those functions that have some.
func SampleFolders(root string, functions []stack.Function) map[string]fs.FS {
	out := map[string]fs.FS{}
	for _, f := range functions {
		if folder := sampleFolder(root, f); folder != nil {
			out[f.Name] = folder
		}
	}
	return out
}
