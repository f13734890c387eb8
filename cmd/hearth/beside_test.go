package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// TestRunsBesideEachOtherAndThePlatform runs the compiled program in several processes at
// once: first on an empty state folder, then beside a platform that has a key.
func TestRunsBesideEachOtherAndThePlatform(t *testing.T) {
	p := commandtest.Build(t, ".")
	p.Dir = repository(t)
	if _, _, errs := p.Run(t, "run", "weather", "--dry-run"); strings.Contains(errs, "not built in") {
		tool.Missing(t, errs)
	}
	p.Dir = repository(t)
	together(t, p, 3, "run", "weather", "--dry-run")
	files, err := filepath.Glob(filepath.Join(p.Dir, ".hearth", "*"))
	if err != nil || slices.ContainsFunc(files, func(f string) bool { return !strings.HasPrefix(filepath.Base(f), "hearth.db") }) {
		t.Errorf("the state folder then has %v, %v; want only the database", files, err)
	}

	keys := make(chan string, 100)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("X-Finnhub-Token")
		io.WriteString(w, `{"c":261.74,"d":2.1,"dp":0.8,"h":263.31,"l":260.68,"o":261.07,"pc":259.45,"t":1763672400}`) // 2025-11-20: before any clock that the program may have
	}))
	defer upstream.Close()
	gateway, _ := upWith(t, p, "FINNHUB_KEY=s3cr3tkey99", "STOCKS_SYMBOLS=AAPL", "FINNHUB_URL="+upstream.URL+"/")
	if key := next(t, keys); key != "s3cr3tkey99" {
		t.Fatalf("the platform's first run sent the key %q", key)
	}
	together(t, p, 2, "run", "stocks", "--dry-run")
	var a source.Answer
	parse(t, p, command.Done, &a, "run", "stocks", "--dry-run", "--json")
	if !a.Sample || len(a.Readings) == 0 {
		t.Errorf("a run without the key: %+v", a)
	}
	if code, out, errs := p.Run(t, "run", "stocks"); code != command.Failed || out != "" || !strings.Contains(errs, "stocks works on live data here, and without FINNHUB_KEY") {
		t.Errorf("a run that would store sample data: %d %s%s", code, out, errs)
	}
	res, err := http.Post(gateway+"/function/stocks", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if key := next(t, keys); res.StatusCode != http.StatusOK || key != "s3cr3tkey99" {
		t.Errorf("then the platform answered %d and sent the key %q", res.StatusCode, key)
	}
}

// TestARunWhoseOutputIsLostFails writes a run's readings to a device without room.
func TestARunWhoseOutputIsLostFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err) // Linux has it
	}
	defer full.Close()
	p := commandtest.Build(t, ".")
	p.Dir = repository(t)
	for _, args := range [][]string{{"run", "weather", "--dry-run"}, {"run", "weather", "--dry-run", "--json"}} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := p.Command(ctx, args...)
		var errs strings.Builder
		cmd.Stdout, cmd.Stderr = full, &errs
		if err := cmd.Run(); strings.Contains(errs.String(), "not built in") {
			tool.Missing(t, errs.String())
		} else if err == nil || cmd.ProcessState.ExitCode() != command.Failed || !strings.Contains(errs.String(), "no space left on device") {
			t.Errorf("%q: %v\n%s", args, err, &errs)
		}
	}
}

// patience is how long a test waits for what a program does.
const patience = 2 * time.Minute

// next is the next key that the upstream receives.
func next(t *testing.T, keys <-chan string) string {
	t.Helper()
	select {
	case key := <-keys:
		return key
	case <-time.After(patience):
		t.Fatalf("the upstream was not called within %s", patience)
		return ""
	}
}

// together runs a command in four processes at once, several times in each; all succeed.
func together(t *testing.T, p commandtest.Program, times int, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range times {
				if out, err := p.Command(ctx, args...).CombinedOutput(); err != nil {
					t.Errorf("%q: %v\n%s", args, err, out)
				}
			}
		})
	}
	all.Wait()
}

// upWith runs hearth, which without a command is hearth up, with these variables until
// stop is called or the test ends. It returns the gateway's address. stop interrupts it and
// returns what it ended with.
func upWith(t *testing.T, p commandtest.Program, environ ...string) (gateway string, stop func() error) {
	t.Helper()
	p.Env = append(slices.Clone(p.Env), append(environ, "PORT=0", "EDGE=off")...)
	up := p.Command(context.Background())
	logs, err := up.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(patience, func() { up.Process.Kill() }) // ends the loop below
	lines, said := bufio.NewScanner(logs), ""
	for gateway == "" && lines.Scan() {
		said += lines.Text() + "\n"
		if _, after, ok := strings.Cut(lines.Text(), "the page is at "); ok {
			gateway, _, _ = strings.Cut(after, "/ ")
		}
	}
	hung.Stop()
	ended := make(chan error, 1)
	go func() {
		for lines.Scan() {
		}
		ended <- up.Wait()
	}()
	stop = sync.OnceValue(func() error {
		up.Process.Signal(os.Interrupt)
		hung := time.AfterFunc(patience, func() { up.Process.Kill() })
		defer hung.Stop()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	if gateway == "" {
		t.Fatalf("no page within %s:\n%s", patience, said)
	}
	return gateway, stop
}
