package testserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
)

// Program is a program of this repository that a test runs as a server.
type Program struct {
	Addr string // the address that it will listen on, from free.Addr
	Path string
	Args []string
	Env  []string // its whole environment; nil: the test's
	Dir  string   // its working folder, with its log
	URL  string   // answers 200 once the program serves; "": the program serves once it listens on Addr
}

// Own starts p as a server of this test only; it ends with the test. Kill also kills its
// children, as the kill of a container does.
func Own(t testing.TB, p Program) *Server {
	t.Helper()
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Addr: p.Addr, Dir: p.Dir, path: p.Path, args: p.Args, env: p.Env,
		quit: syscall.SIGTERM, orphaned: syscall.SIGKILL, group: true,
		ready: func(ctx context.Context) error { return p.serves(ctx) },
	}
	t.Cleanup(func() { s.Kill() })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// serves returns nil once p serves.
func (p Program) serves(ctx context.Context) error {
	if p.URL == "" {
		return listens(ctx, p.Addr)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", p.URL, res.Status)
	}
	return nil
}

// listens returns nil if a program listens on addr.
func listens(ctx context.Context, addr string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}

// Pid returns the process id, 0 if the server does not run.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}
