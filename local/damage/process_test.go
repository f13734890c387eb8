package damage

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. It is long, since a machine may
// be busy: a process that does not stop is found all the same.
const patience = time.Minute

// built compiles a program of this repository, once.
func built(t *testing.T, folder string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	path := filepath.Join(scratch, filepath.Base(folder))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, folder) // as local/chaos, which shares what is compiled
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", folder, err, out)
	}
	return path
}

var building sync.Mutex

// process is a running program.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	errs  string        // file of its standard error, where programs write why they end
	log   string        // file of its standard output, where they log
	ended chan struct{} // closed when it has ended
}

// start starts a program with this environment, which is killed at the end of the test.
func start(t *testing.T, program string, env map[string]string, args ...string) *process {
	t.Helper()
	return startAs(t, 0, program, env, args...)
}

// startAs is start as a user, if that is not 0 and this user may do that.
func startAs(t *testing.T, user uint32, program string, env map[string]string, args ...string) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{t: t, cmd: exec.Command(program, args...), log: filepath.Join(dir, "log"), errs: filepath.Join(dir, "errs"), ended: make(chan struct{})}
	p.cmd.SysProcAttr = credential(user)
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	for name, value := range env {
		if name == "" {
			p.cmd.Dir = value
			continue
		}
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	errs, err := os.Create(p.errs)
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, errs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("its log:\n%s\n%s", p.read(p.log), p.read(p.errs))
		}
	})
	return p
}

// read returns a file, or its end if it is long.
func (p *process) read(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return string(b[max(len(b)-3000, 0):])
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// wait waits until the process has ended and returns its exit code, -1 after a signal.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines are logged
		<-p.ended
		p.t.Fatal("it does not stop")
		return 0
	}
}

// stop stops the process as SIGTERM does, and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	return p.wait()
}

// stopsCleanly stops the process. It must end with exit code 0.
func (p *process) stopsCleanly() {
	p.t.Helper()
	if code := p.stop(); code != 0 {
		p.t.Errorf("exit code %d after SIGTERM: %s", code, p.read(p.errs))
	}
}

// refuses waits until the process has ended by itself. It must have said why, and each of
// says, in one line.
func (p *process) refuses(says ...string) {
	p.t.Helper()
	code := p.wait()
	text := p.read(p.errs)
	if code != 1 || strings.Count(text, "\n") != 1 || strings.Contains(text, "panic") {
		p.t.Errorf("exit code %d, want 1 and one line: %s", code, text)
	}
	for _, want := range says {
		if !strings.Contains(text, want) {
			p.t.Errorf("it says %q, want that it says %q", text, want)
		}
	}
}

// until polls until ok returns true, and fails if the process ends before that.
func (p *process) until(what string, ok func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-p.ended:
			p.t.Fatalf("it ended while the test waited for: %s", what)
		default:
		}
		if time.Now().After(end) {
			p.t.Fatalf("timeout while waiting for: %s", what)
		}
	}
}

// answers reports whether a URL answers 200.
func answers(url string) bool {
	res, err := http.Get(url)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// fill takes all room that is free on a disk, as another program may. free removes it.
func fill(t *testing.T, disk string) (free func()) {
	t.Helper()
	name := filepath.Join(disk, "of another program")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for part := make([]byte, 4096); err == nil; {
		_, err = f.Write(part)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
