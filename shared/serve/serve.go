// Package serve runs a function as the OpenFaaS watchdog expects it: one HTTP
// server on the loopback, timeouts from the environment, and a stop that loses
// no request. The templates' main is a call of Run.
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
)

// The watchdog and the function get SIGTERM at the same moment, and the watchdog
// still hands over what arrives within its healthcheck_interval: the function
// has to listen a little longer than that.
const handover = 250 * time.Millisecond

// settings have the names and the meaning that they have for of-watchdog.
type settings struct {
	port     string        // PORT: the one in upstream_url
	read     time.Duration // read_timeout: until the request is read
	write    time.Duration // write_timeout: until the answer is written, and for requests in flight at the stop
	exec     time.Duration // exec_timeout: the deadline of the request's context, 0 for none
	interval time.Duration // healthcheck_interval: how long new requests are still taken after SIGTERM
}

// Run serves h until SIGTERM or an interrupt and returns the exit code: 0 if
// every request got its answer.
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

// Server returns the server that Run serves h with: the deadlines and limits
// that the variables of e name. A variable that cannot be read is an error.
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
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelError), // panics too go through the redactor
	}
}

func (s settings) serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	server := s.server(h, log)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-failed:
		return err
	case <-time.After(s.interval + handover):
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.write)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return fmt.Errorf("requests cut off after %s: %w", s.write, err)
	}
	return nil
}

// deadline ends the work of a request whose caller has been told that it timed
// out.
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

func parse(vars map[string]string) (settings, error) {
	s := settings{port: "8082", read: 30 * time.Second, write: 30 * time.Second, exec: 30 * time.Second}
	if p := vars["PORT"]; p != "" {
		s.port = p
	}
	err := errors.Join(
		duration(vars, "read_timeout", &s.read),
		duration(vars, "write_timeout", &s.write),
		duration(vars, "exec_timeout", &s.exec))
	s.interval = s.write // the watchdog's default
	return s, errors.Join(err, duration(vars, "healthcheck_interval", &s.interval))
}

// duration reads "30s" or, as OpenFaaS allows, a number of seconds.
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
		return fmt.Errorf("%s: %q is no duration", name, vars[name])
	}
	*d = parsed
	return nil
}
