package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

const patience = time.Minute // the longest wait for a condition

// process is a function's process as its image runs it: alone or behind fwatchdog.
type process struct {
	cmd    *exec.Cmd
	url    string
	ready  time.Duration
	log    *testserver.Output
	exited chan error
}

// start runs bin as the image does: the environment is vars only, there is no temporary
// folder, and the working folder is read-only. With the rights to do so, the test also
// makes the file system read-only and runs bin as nobody. If watchdog is not "", bin
// runs behind it.
func start(t *testing.T, bin, watchdog string, vars map[string]string) *process {
	t.Helper()
	home := filepath.Dir(bin)
	open(t, home)
	addr := free.Addr(t)
	p := &process{url: "http://" + addr, log: &testserver.Output{}, exited: make(chan error, 1)}
	if watchdog == "" {
		p.cmd = confined(t, bin)
		p.cmd.Env = []string{"PORT=" + port(addr), "TMPDIR=/nonexistent"}
	} else {
		inner := free.Addr(t)
		p.cmd = confined(t, watchdog)
		p.cmd.Env = []string{"port=" + port(addr), "PORT=" + port(inner), "upstream_url=http://" + inner,
			"fprocess=./" + filepath.Base(bin), "mode=http", "prefix_logs=false", "suppress_lock=true", "TMPDIR=/nonexistent"}
	}
	for k, v := range vars {
		p.cmd.Env = append(p.cmd.Env, k+"="+v)
	}
	p.cmd.Dir = home
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = testserver.Tied()
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.exited <- p.cmd.Wait(); close(p.exited) }()
	t.Cleanup(func() {
		select {
		case <-p.exited:
			return
		default:
		}
		syscall.Kill(p.function(), syscall.SIGKILL)
		p.cmd.Process.Kill()
		<-p.exited
	})
	p.awaitReady(t, began)
	return p
}

// confined returns a command that runs bin on a read-only file system, as nobody. It
// runs bin without confinement if the test lacks the rights for it.
func confined(t *testing.T, bin string) *exec.Cmd {
	t.Helper()
	path := map[string]string{}
	for _, name := range []string{"unshare", "sh", "mount", "setpriv", "true"} {
		path[name] = tool.Needed(t, "apt-get install util-linux mount", name)
	}
	script := path["mount"] + " -o remount,bind,ro / && exec " + path["setpriv"] + ` --reuid=65534 --regid=65534 --clear-groups "$@"`
	args := []string{path["unshare"], "--mount", path["sh"], "-c", script, "sh"}
	if out, err := exec.Command(args[0], append(args[1:], path["true"])...).CombinedOutput(); err != nil {
		t.Logf("not tested: the read-only file system and the user of the image, since this test may not change them: %v %s", err, out)
		return exec.Command(bin)
	}
	return exec.Command(args[0], append(args[1:], bin)...)
}

// awaitReady polls until the function itself answers.
func (p *process) awaitReady(t *testing.T, began time.Time) {
	t.Helper()
	for time.Since(began) < patience {
		if res, err := http.Get(p.url); err == nil {
			res.Body.Close()
			if res.Header.Get("X-OpenFaaS-Internal") == "" { // fwatchdog sets it while the function does not answer
				p.ready = time.Since(began)
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("not ready after %s:\n%s", patience, p.log.Tail())
}

// terminate sends SIGTERM.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// awaitExit waits until the process has ended, and checks that its exit code is 0.
func (p *process) awaitExit(t *testing.T) {
	t.Helper()
	select {
	case err := <-p.exited:
		if err != nil {
			t.Errorf("ended with %v:\n%s", err, p.log.Tail())
		}
	case <-time.After(patience):
		t.Errorf("still running %s after SIGTERM:\n%s", patience, p.log.Tail())
	}
}

// function returns the process id of the function: the child of any of fwatchdog's
// threads, or the process itself if it has no child.
func (p *process) function() int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	for _, file := range tasks {
		children, _ := os.ReadFile(file)
		if c := strings.Fields(string(children)); len(c) == 1 {
			if pid, err := strconv.Atoi(c[0]); err == nil {
				return pid
			}
		}
	}
	return p.cmd.Process.Pid
}

// memory returns the resident set of the function, now and at its peak, in bytes.
func (p *process) memory(t *testing.T) (now, peak int64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.function()))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes(status, "VmRSS:"), kilobytes(status, "VmHWM:")
}

func kilobytes(status []byte, key string) int64 {
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == key {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// open lets other users read dir and its parents below the temporary folder.
func open(t *testing.T, dir string) {
	t.Helper()
	for d := dir; strings.HasPrefix(d, os.TempDir()) && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(d, 0o755) }) // so that it can be removed
	}
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// native returns this machine's architecture. It skips the test where the image's
// binaries do not run.
func native(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the images run on Linux")
	}
	return runtime.GOARCH
}
