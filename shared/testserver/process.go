// Package testserver starts the real servers that tests need: each on a free
// port of 127.0.0.1, with its data in a folder that goes when the test process
// does. A server that is not installed skips the test, or fails it where CI is
// set.
package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startDeadline = 30 * time.Second
	stopDeadline  = 20 * time.Second
	startTries    = 50
)

var errEnded = errors.New("ended at once")

// Server is one server process. Kill or Stop it and Start it again: it comes
// back on the same port with the same data.
type Server struct {
	Addr string // host:port
	Dir  string // its data; what it said is in the file log

	path     string
	args     []string
	env      []string                    // nil: the test's
	family   bool                        // a kill takes its children too
	user     *syscall.Credential         // nil: as the test
	quit     os.Signal                   // asks it to stop
	orphaned syscall.Signal              // what it gets when the test process dies
	ready    func(context.Context) error // nil once it serves

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start starts the server and waits until it serves. A server that ends at
// once is tried again: after a kill -9 its children may hold what it needs.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for range startTries {
		if err = s.launch(); !errors.Is(err, errEnded) {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.path, s.args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = s.env, s.Dir, log, log
	cmd.SysProcAttr = s.attributes()
	started, exited := make(chan error, 1), make(chan struct{})
	go func() {
		// The signal for orphans comes when the thread that forked ends.
		runtime.LockOSThread()
		defer close(exited)
		err := cmd.Start()
		if err != nil {
			started <- err
			return
		}
		unwatch := func() {}
		if !tied {
			unwatch, err = watch(cmd.Process.Pid, s.orphaned)
		}
		if err != nil {
			cmd.Process.Kill()
			unwatch = func() {}
		}
		started <- err
		cmd.Wait()
		unwatch()
	}()
	if err := <-started; err != nil {
		return err
	}
	s.cmd, s.exited = cmd, exited
	return s.wait()
}

// wait polls until the server serves or has ended.
func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startDeadline)
	defer cancel()
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%s %w: %s", filepath.Base(s.path), errEnded, s.Log())
		case <-ctx.Done():
			s.end(syscall.SIGKILL)
			return fmt.Errorf("%s does not serve: %w: %s", filepath.Base(s.path), err, s.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop asks the server to stop and waits until it has.
func (s *Server) Stop() error { return s.stop(s.quit) }

// Kill ends the server as kill -9 does.
func (s *Server) Kill() error { return s.stop(syscall.SIGKILL) }

// Signal sends sig, such as SIGSTOP for a server that hangs.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

func (s *Server) stop(sig os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	return s.end(sig)
}

func (s *Server) end(sig os.Signal) error {
	cmd := s.cmd
	s.cmd = nil
	if s.family && sig == syscall.SIGKILL {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it leads a group of its own
	}
	cmd.Process.Signal(sig) // an error means that it has ended
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopDeadline):
	}
	cmd.Process.Kill()
	<-s.exited
	return fmt.Errorf("%s did not stop on %v within %v", filepath.Base(s.path), sig, stopDeadline)
}

// Log returns the end of what the server said.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// FreeAddr returns an address on 127.0.0.1 that nobody listens on.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Missing skips the test, or fails it where CI is set, and says what to install.
func Missing(t testing.TB, sentence string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
}

// folder makes a folder that is removed when this process has ended, however
// it ends: a shell waits for the end of a pipe that nobody else holds.
func folder() (string, error) {
	dir, err := os.MkdirTemp("", "hearth-test-")
	if err != nil {
		return "", err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	held.Store(dir, w)
	cmd := exec.Command("sh", "-c", `cat; sleep 1; rm -rf "$0"`, dir)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	if err := cmd.Start(); err != nil {
		return "", err
	}
	return dir, cmd.Process.Release()
}

var held sync.Map // of pipes: a finalizer would close them
