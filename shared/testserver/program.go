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

// Program is one of our own that a test runs as a server.
type Program struct {
	Addr string // where it will listen, of FreeAddr
	Path string
	Args []string
	Env  []string // all of its environment; nil: the test's
	Dir  string   // working folder, where its log goes too
	URL  string   // answers 200 once it serves; "": it listens
}

// Own returns p, started, as a server of the test's own. A kill -9 takes its
// children with it, as that of a container does.
func Own(t testing.TB, p Program) *Server {
	t.Helper()
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Addr: p.Addr, Dir: p.Dir, path: p.Path, args: p.Args, env: p.Env,
		quit: syscall.SIGTERM, orphaned: syscall.SIGKILL, family: true,
		ready: func(ctx context.Context) error { return p.serves(ctx) },
	}
	t.Cleanup(func() { s.Kill() })
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s
}

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

func listens(ctx context.Context, addr string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}

// Pid is that of the running process, 0 where there is none.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}
