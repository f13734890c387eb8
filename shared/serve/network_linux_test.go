package serve

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// TestAFunctionThatHasLostItsNetworkStopsAtOnce: with a call in flight, alone and behind
// of-watchdog. A function whose network stays finishes the call. The test runs again in a
// network namespace of its own, and there once more as the function.
func TestAFunctionThatHasLostItsNetworkStopsAtOnce(t *testing.T) {
	switch os.Getenv("HEARTH_TEST_SERVE") {
	case "function":
		os.Exit(Run(http.HandlerFunc(waitForFile), config.Process()))
	case "namespace":
		testNetworks(t)
		return
	}
	unshare := tool.Needed(t, "apt-get install util-linux", "unshare")
	tool.Needed(t, "apt-get install iproute2", "ip")
	if out, err := exec.CommandContext(t.Context(), unshare, "--net", "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "host0").CombinedOutput(); err != nil {
		t.Skipf("not tested: this test may make no network: %v %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), unshare, "--net", os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "HEARTH_TEST_SERVE=namespace")
	cmd.SysProcAttr = testserver.Tied()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// waitForFile writes the file $ANSWER.wanted, and answers when there is a file $ANSWER. It
// looks after the end of the request's context too: a database driver may be as deaf.
func waitForFile(w http.ResponseWriter, r *http.Request) {
	file := os.Getenv("ANSWER")
	if r.URL.Path == "/ready" {
		return
	}
	if err := os.WriteFile(file+".wanted", nil, 0o600); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for {
		if _, err := os.Stat(file); err == nil {
			io.WriteString(w, "done")
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func testNetworks(t *testing.T) {
	ip(t, "link", "set", "lo", "up")
	for _, watchdog := range []bool{false, true} {
		for _, stays := range []bool{true, false} {
			name := map[bool]string{false: "alone", true: "behind of-watchdog"}[watchdog] + map[bool]string{false: ", the network goes", true: ", the network stays"}[stays]
			t.Run(name, func(t *testing.T) {
				path := ""
				if watchdog {
					path = tool.Optional(t, "fwatchdog", "a stop of a function behind of-watchdog when its network was removed")
				}
				testNetwork(t, path, stays)
			})
		}
	}
}

func testNetwork(t *testing.T, watchdog string, stays bool) {
	ip(t, "link", "add", "eth0", "type", "veth", "peer", "name", "host0")
	ip(t, "address", "add", "10.62.0.7/24", "dev", "eth0")
	ip(t, "link", "set", "eth0", "up")
	t.Cleanup(func() { exec.Command("ip", "link", "delete", "eth0").Run() }) // it may be gone
	f := startFunction(t, watchdog)
	got := make(chan string, 1)
	go func() { got <- ask(f.url) }()
	await(t, "the call", func() bool { _, err := os.Stat(f.answer + ".wanted"); return err == nil })
	if !stays {
		ip(t, "link", "delete", "eth0")
	}
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if stays {
		await(t, "no new connections", func() bool {
			c, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
			if err == nil {
				c.Close()
			}
			return err != nil
		})
		if err := os.WriteFile(f.answer, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if body := <-got; body != "done" {
			t.Errorf("the call in flight got %q\n%s", body, f.log)
		}
	}
	var exit *exec.ExitError
	switch err := f.cmd.Wait(); { // without a network it would wait for an hour, the timeout of the call
	case stays && err != nil, !stays && (!errors.As(err, &exit) || exit.ExitCode() != 1):
		t.Errorf("it ended with %v\n%s", err, f.log)
	case !stays && watchdog == "" && !strings.Contains(f.log.String(), errNoNetwork.Error()): // of-watchdog may end before it has passed the line on
		t.Errorf("it does not say why:\n%s", f.log)
	}
}

// startedFunction is this test's program as a function.
type startedFunction struct {
	cmd    *exec.Cmd
	url    string
	answer string // the file for which a call waits
	log    *bytes.Buffer
}

func startFunction(t *testing.T, watchdog string) startedFunction {
	t.Helper()
	addr, inner := free.Addr(t), free.Addr(t)
	f := startedFunction{url: "http://" + addr, answer: filepath.Join(t.TempDir(), "answer"), log: &bytes.Buffer{}}
	run := "-test.run=^" + strings.Split(t.Name(), "/")[0] + "$"
	f.cmd = exec.Command(os.Args[0], run)
	vars := []string{"PORT=" + portOf(addr)}
	if watchdog != "" {
		f.cmd = exec.Command(watchdog)
		vars = []string{"port=" + portOf(addr), "PORT=" + portOf(inner), "upstream_url=http://" + inner, "fprocess=" + os.Args[0] + " " + run,
			"mode=http", "prefix_logs=false", "suppress_lock=true"}
	}
	f.cmd.Env = append(vars, "HEARTH_TEST_SERVE=function", "ANSWER="+f.answer, "read_timeout=1h", "write_timeout=1h", "exec_timeout=1h", "healthcheck_interval=1s")
	f.cmd.Stdout, f.cmd.Stderr, f.cmd.SysProcAttr = f.log, f.log, testserver.Tied()
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.cmd.Process.Kill() }) // it has ended, unless the test failed
	await(t, "the function", func() bool {
		res, err := http.Get(f.url + "/ready")
		if err == nil {
			res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusOK
	})
	return f
}

func ask(url string) string {
	res, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timeout while waiting for %s", what)
		}
	}
}
