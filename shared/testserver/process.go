// Package testserver starts the real servers that tests need. Each has a free port of
// 127.0.0.1 and a data folder, which is removed when the test process ends. If a server
// is not installed, the test is skipped, or fails if CI is set.
package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	startDeadline = time.Minute
	stopDeadline  = time.Minute
	startTries    = 200 // of a server that exits before it serves
)

var errEnded = errors.New("exited before it served")

// Server is one server process. After Kill or Stop, Start starts it again on the same
// port with the same data.
type Server struct {
	Addr string // host:port
	Dir  string // its data; its output is in the file log

	path     string
	args     []string
	env      []string                    // nil: the test's environment
	group    bool                        // Kill also kills its children
	user     *syscall.Credential         // nil: the test's user
	quit     os.Signal                   // makes it stop
	orphaned syscall.Signal              // sent to it when the test process dies
	ready    func(context.Context) error // returns nil once it serves

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has exited
}

// Start starts the server and waits until it serves. If the server exits before that,
// Start retries: after a kill -9, its children may still hold its port or lock files.
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

// launch starts the process once and waits until it serves.
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
		// The kernel sends s.orphaned when the thread that forked ends, so keep the thread.
		runtime.LockOSThread()
		defer close(exited)
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		unwatch, err := s.tie(cmd.Process)
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

// tie makes p end with this process, if the kernel does not do that. If it fails, it kills
// p. Call unwatch when p has exited.
func (s *Server) tie(p *os.Process) (unwatch func(), err error) {
	nothing := func() {}
	if tied {
		return nothing, nil
	}
	unwatch, err = watch(p.Pid, s.orphaned)
	if err != nil {
		p.Kill()
		return nothing, err
	}
	return unwatch, nil
}

// wait polls until the server serves, has exited or startDeadline has passed.
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

// Stop stops the server with its own signal for that and waits until it has exited.
func (s *Server) Stop() error { return s.stop(s.quit) }

// Kill ends the server as kill -9 does.
func (s *Server) Kill() error { return s.stop(syscall.SIGKILL) }

// Signal sends sig to the server, such as SIGSTOP to make it hang.
func (s *Server) Signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

func (s *Server) stop(sig os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	return s.end(sig)
}

// end sends sig and waits until the process has exited. After stopDeadline it kills the
// process and returns an error.
func (s *Server) end(sig os.Signal) error {
	cmd := s.cmd
	s.cmd = nil
	if s.group && sig == syscall.SIGKILL {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it is the leader of its process group
	}
	cmd.Process.Signal(sig) // an error means that it has exited
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopDeadline):
	}
	cmd.Process.Kill()
	<-s.exited
	return fmt.Errorf("%s did not stop on %v within %v", filepath.Base(s.path), sig, stopDeadline)
}

// Log returns the last 2000 bytes of the server's output.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// folder creates a folder that is removed when this process has ended, even by a
// SIGKILL. A shell reads from a pipe whose other end only this process holds. It removes
// the folder when the pipe is closed.
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
	openPipes.Store(dir, w)
	cmd := exec.Command("sh", "-c", `cat; sleep 1; rm -rf "$0"`, dir)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that Ctrl-C does not end it
	if err := cmd.Start(); err != nil {
		return "", err
	}
	return dir, cmd.Process.Release()
}

// openPipes keeps the pipes of folder reachable: a finalizer would close them.
var openPipes sync.Map
