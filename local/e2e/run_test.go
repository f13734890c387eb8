package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/openfaas/go-sdk/stack"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// After many calls a function's process must use less memory, in bytes.
const (
	memoryLimit = 30e6
	pageMemory  = 60e6             // of one that only people call: it keeps what it drew
	settle      = 20 * time.Second // the longest that Go may take to return what a burst of calls needed
)

// TestFunctions: every function of the stack files builds as its image does, runs as in
// its image, stays within its limits, and answers the request in flight before it stops.
func TestFunctions(t *testing.T) {
	list, copied := functions(t)
	for _, f := range list {
		t.Run(f.Name, func(t *testing.T) {
			context := shrinkwrap(t, f, copied)
			dockerignore(t, context)
			bin := map[string]string{}
			for _, arch := range []string{"amd64", "arm64"} {
				bin[arch] = compile(t, context, arch)
			}
			if t.Failed() {
				return
			}
			t.Run("alone", func(t *testing.T) { run(t, f, bin[native(t)], "", calls) })
			t.Run("behind fwatchdog", func(t *testing.T) {
				watchdog := tool.Optional(t, "fwatchdog", "the functions behind of-watchdog, as in their images")
				run(t, f, bin[native(t)], watchdog, callers)
			})
		})
	}
}

// run starts the binary, calls it n times and stops it.
func run(t *testing.T, f stack.Function, bin, watchdog string, n int32) {
	s := newFixture(t, f)
	p := start(t, bin, watchdog, s.vars)
	code, body := call(request(t, f, p.url, false))
	if code != http.StatusOK {
		t.Fatalf("the first call: %d %s\n%s", code, body, p.log.Tail())
	}
	var answer struct{ Status string }
	if err := json.Unmarshal([]byte(body), &answer); err == nil && answer.Status == "not_configured" {
		t.Errorf("not configured by stack.yml and the function's sample/env: %s", body)
	}
	codes := callManyTimes(t, f, p.url, n)
	limit := memoryLimit
	if annotations(f)["topic"] == "" {
		limit = pageMemory
	}
	now, peak := p.memory(t)
	for end := time.Now().Add(settle); float64(now) >= limit && time.Now().Before(end); now, peak = p.memory(t) {
		time.Sleep(time.Second)
	}
	t.Logf("ready in %s; after %d calls (%s): %.1f MB, at most %.1f MB",
		p.ready.Round(time.Millisecond), n, codes, float64(now)/1e6, float64(peak)/1e6)
	if float64(now) >= limit {
		t.Errorf("%d bytes of memory after %d calls, the limit is %.0f", now, n, limit)
	}
	stop(t, f, s, p)
	for _, v := range s.planted {
		if strings.Contains(p.log.String(), v) {
			t.Errorf("a secret is in the log")
		}
	}
}

// stop sends SIGTERM while a request waits for the database. It lets that request
// continue once the function accepts no new connections.
func stop(t *testing.T, f stack.Function, s fixture, p *process) {
	t.Helper()
	unlock := s.store.shut()
	defer unlock()
	type result struct {
		code int
		body string
	}
	got := make(chan result, 1)
	r := request(t, f, p.url, false)
	go func() {
		code, body := call(r)
		got <- result{code, body}
	}()
	select {
	case <-s.store.waiting:
	case r := <-got:
		t.Fatalf("answered %d %s without the database", r.code, r.body)
	}
	p.terminate(t)
	for addr, end := strings.TrimPrefix(p.url, "http://"), time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
	}
	unlock()
	if r := <-got; !served(r.code) {
		t.Errorf("the request in flight at SIGTERM got %d %s\n%s", r.code, r.body, p.log.Tail())
	}
	p.awaitExit(t)
}
