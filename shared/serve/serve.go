// Package serve runs a function as the OpenFaaS watchdog expects it: an HTTP server on
// 127.0.0.1, with timeouts from the environment and a graceful stop that loses no
// request. The main function of each template calls Run.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/pause"
)

// handover is how much longer than healthcheck_interval the function accepts requests
// after SIGTERM. The watchdog gets SIGTERM at the same moment, and still passes on the
// requests that arrive within its healthcheck_interval.
const handover = 250 * time.Millisecond

// settings have the same names and meanings as those of of-watchdog.
type settings struct {
	port     string        // PORT: the port in the watchdog's upstream_url
	read     time.Duration // read_timeout: for reading a request
	write    time.Duration // write_timeout: for writing an answer, and for requests in flight when the server stops
	exec     time.Duration // exec_timeout: deadline of a request's context; 0: none
	interval time.Duration // healthcheck_interval: how long new requests are still accepted after SIGTERM
}

// Run serves h until SIGTERM or an interrupt. It returns the exit code: 0 if every
// request was answered, else 1, with the reason logged. of-watchdog, whose child the
// function is, goes on with its own stop after 0, and ends at once after 1.
func Run(h http.Handler, e config.Env) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, h, e); err != nil {
		e.Log.Error("stopped", "err", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, h http.Handler, e config.Env) error {
	s, err := parse(e.Vars)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", s.port))
	if err != nil {
		return err
	}
	e.Log.Info("listening", "addr", l.Addr().String())
	return s.serve(ctx, l, h, e.Log)
}

// Server returns the server that Run uses for h, with the timeouts that e's variables
// set. A variable that is no duration is an error.
func Server(h http.Handler, e config.Env) (*http.Server, error) {
	s, err := parse(e.Vars)
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	return s.server(h, e.Log), nil
}

func (s settings) server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:        deadline(h, s.exec),
		ReadTimeout:    s.read,
		WriteTimeout:   s.write,
		MaxHeaderBytes: 1 << 20,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelError), // the server logs panics here: they are redacted too
	}
}

// serve serves h until ctx ends. It then accepts requests for s.interval and
// handover, and waits up to s.write for those in flight and for the work beside them. It does not wait if the
// container has lost its network: nobody would get the answers.
func (s settings) serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := s.server(h, log)
	had := networked()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	if had {
		go watchNetwork(grace, cancel)
	}
	if !pause.For(grace, s.interval+handover) {
		return context.Cause(grace)
	}
	defer time.AfterFunc(s.write, func() {
		cancel(fmt.Errorf("requests in flight were cut off after %s: %w", s.write, context.DeadlineExceeded))
	}).Stop()
	if server.Shutdown(grace) != nil {
		return context.Cause(grace)
	}
	return beside.Stop(grace)
}

// deadline ends a request's context after d: the watchdog has then answered the caller
// with a timeout.
func deadline(h http.Handler, d time.Duration) http.Handler {
	if d <= 0 {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), d)
		defer cancel()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

// parse reads the settings. Its error names every variable that is wrong.
func parse(vars map[string]string) (settings, error) {
	s := settings{port: "8082", read: 30 * time.Second, write: 30 * time.Second, exec: 30 * time.Second}
	if p := vars["PORT"]; p != "" {
		s.port = p
	}
	err := errors.Join(
		duration(vars, "read_timeout", &s.read),
		duration(vars, "write_timeout", &s.write),
		duration(vars, "exec_timeout", &s.exec))
	s.interval = s.write // as in of-watchdog
	return s, errors.Join(err, duration(vars, "healthcheck_interval", &s.interval))
}

// duration sets d from a variable, unless it is empty. The value is "30s" or, as
// OpenFaaS allows, a number of seconds.
func duration(vars map[string]string, name string, d *time.Duration) error {
	v := vars[name]
	if v == "" {
		return nil
	}
	if n, err := strconv.Atoi(v); err == nil {
		v = strconv.Itoa(n) + "s"
	}
	parsed, err := time.ParseDuration(v)
	if err != nil || parsed < 0 {
		return fmt.Errorf("%s: %q is not a duration", name, vars[name])
	}
	*d = parsed
	return nil
}
