package local

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/testserver"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // the leak test mostly waits: run many of its cases at once
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// upstream starts an upstream of the tiny source, which sends the keys that it receives to
// keys.
func upstream(t *testing.T) (address string, keys chan string) {
	t.Helper()
	keys = make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("X-Key")
		json.NewEncoder(w).Encode(map[string]int64{"dt": time.Now().Add(-time.Hour).Truncate(time.Hour).Unix()})
	}))
	t.Cleanup(srv.Close)
	return srv.URL, keys
}

// next returns the next key that the upstream receives.
func next(t *testing.T, keys <-chan string) string {
	t.Helper()
	select {
	case key := <-keys:
		return key
	case <-time.After(time.Minute):
		t.Fatal("the upstream was not called within a minute")
		return ""
	}
}

func TestSamplesAreReplacedOnceThereIsAKey(t *testing.T) {
	root := repository(t)
	r := launch(t, root)
	r.settled()
	if got := r.runs()[0]; got != "cron/ok/sample" {
		t.Fatalf("first run = %s", got)
	}
	if a := r.invoke(""); a.Status != "ok" || a.Stored != 0 || !a.Sample {
		t.Errorf("again: %+v, want nothing new", a)
	}
	var d status.Data
	if _, body := r.call("GET", "/status.json"); json.Unmarshal([]byte(body), &d) != nil || !d.Sample ||
		d.Functions[0].State != status.Sample || !slices.Equal(d.Functions[0].Missing, []string{"TINY_KEY"}) ||
		len(d.Measurements) != 1 || len(d.Lists) != 1 {
		t.Errorf("page = %+v", d)
	}
	r.stop()

	address, keys := upstream(t)
	write(t, filepath.Join(root, ".env"), "TINY_KEY=real-key-1\nTINY_URL="+address+"\n")
	r = launch(t, root)
	r.eventually("a live run", func() bool { return slices.Contains(r.runs(), "cron/ok") })
	if got := next(t, keys); got != "real-key-1" {
		t.Errorf("the upstream saw the key %q", got)
	}
	if got := r.runs(); len(got) != 1 {
		t.Errorf("ledger = %v, want the live run alone", got)
	}
	st, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	latest, err := st.Latest(t.Context(), "weather", time.Now().Add(-24*time.Hour))
	if err != nil || len(latest) != 1 || latest[0].Tags["sample"] != "" {
		t.Errorf("readings = %v, %v; want the live one alone", latest, err)
	}
	items, err := st.OpenItems(t.Context(), "", 10)
	if err != nil || len(items) != 1 || items[0].Sample {
		t.Errorf("items = %v, %v; want the live one alone", items, err)
	}
}

func TestASecondStartContinues(t *testing.T) {
	root := repository(t)
	r := launch(t, root)
	before := r.settled()
	r.stop()
	r = launch(t, root)
	if a := r.invoke(""); a.Status != "ok" || a.Stored != 0 {
		t.Errorf("answer = %+v, want nothing new", a)
	}
	if _, body := r.call("GET", "/status"); !strings.Contains(body, `href="https://api.tiny.example/v1/now?place=home"`) {
		t.Errorf("the page links to the sample server:\n%s", body)
	}
	if after := r.settled(); after != before+1 {
		t.Errorf("%d runs before, %d after one call: the start ran a function that was not overdue, or lost runs", before, after)
	}
}

func TestSchedulesFireThroughTheGateway(t *testing.T) {
	r := launch(t, repository(t), "TINY_SCHEDULE=@every 1s")
	r.eventually("three scheduled runs", func() bool { return len(r.runs()) >= 3 })
	if got := r.runs(); !strings.HasPrefix(got[len(got)-1], "cron/ok") {
		t.Errorf("runs = %v", got)
	}
	var list []struct{ InvocationCount float64 }
	if _, body := r.call("GET", "/system/functions"); json.Unmarshal([]byte(body), &list) != nil || len(list) != 1 || list[0].InvocationCount < 3 {
		t.Errorf("list = %s, want one function with at least 3 calls", body)
	}
}

func TestAStopLeavesNothingListening(t *testing.T) {
	r := launch(t, repository(t))
	r.settled()
	addresses := []string{r.server.Addr, r.samples.Addr, r.host.Functions()[0].URL.Host}
	r.stop()
	for _, addr := range addresses {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
			t.Errorf("%s still listens", addr)
		}
	}
}

func TestUpSaysWhereThePageIsAndEndsWithItsContext(t *testing.T) {
	logs := &testserver.Output{}
	h, err := Open(repository(t), []string{"PORT=0"}, logs)
	if err != nil {
		t.Fatal(err)
	}
	h.build = tinyOnly
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Up(ctx) }()
	for end := time.Now().Add(time.Minute); !strings.Contains(logs.String(), "the page is at http://127.0.0.1:"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no page:\n%s", logs)
		}
	}
	if !strings.Contains(logs.String(), "set TINY_KEY in .env") {
		t.Errorf("the log does not say how to make the function live:\n%s", logs)
	}
	cancel()
	if err := <-ended; err != nil || !strings.Contains(logs.String(), "stopped") {
		t.Errorf("err = %v\n%s", err, logs)
	}
}

func TestWithoutItsKeyALiveFunctionIsNotConfigured(t *testing.T) {
	r := launch(t, repository(t), "LIVE=all")
	r.eventually("the page says so", func() bool {
		var d status.Data
		_, body := r.call("GET", "/status.json")
		return json.Unmarshal([]byte(body), &d) == nil && d.Functions[0].State == status.Unconfigured
	})
	if a := r.invoke(""); a.Status != "not_configured" || len(r.runs()) != 0 {
		t.Errorf("answer = %+v, runs = %v", a, r.runs())
	}
}

func TestRealDatabasesBelongTogetherAndMayBeDown(t *testing.T) {
	root := repository(t)
	h, err := Open(root, []string{"INFLUX_URL=http://127.0.0.1:1"}, &testserver.Output{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := newPlatform(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.storePart().start(t.Context()); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("one of the two: %v, want an error that names the other", err)
	}
	r := launch(t, root, "INFLUX_URL=http://127.0.0.1:1", "DATABASE_URL=postgres://u:pass-word-1@127.0.0.1:1/home", "LIVE=all", "TINY_KEY=real-key-1")
	code, body := r.call("POST", "/function/weather")
	if code != http.StatusServiceUnavailable || strings.Contains(body, "pass-word-1") {
		t.Errorf("answer = %d %s, want 503 without the password", code, body)
	}
	if code, body := r.call("GET", "/status"); code != 200 || !strings.Contains(body, `class="error"`) {
		t.Errorf("page = %d %s, want an error about the store", code, body)
	}
	r.stop()
	if r.has("pass-word-1") {
		t.Errorf("the password is in the log:\n%s", r.logs)
	}
}

func TestAStateFolderHasOneProcess(t *testing.T) {
	root := repository(t)
	launch(t, root)
	h, err := Open(root, []string{"PORT=0"}, &testserver.Output{})
	if err != nil {
		t.Fatal(err)
	}
	h.build = tinyOnly
	err = h.Up(t.Context())
	if !strings.Contains(err.Error(), "another process") {
		t.Errorf("err = %v", err)
	}
}

func TestABusyPortEndsTheStartAndStopsWhatRan(t *testing.T) {
	first := launch(t, repository(t))
	_, port, err := net.SplitHostPort(first.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Open(repository(t), []string{"PORT=" + port}, &testserver.Output{})
	if err != nil {
		t.Fatal(err)
	}
	h.build = tinyOnly
	err = h.Up(t.Context()) // goleak sees what is left
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf(":%s is in use, perhaps by another hearth: stop it, or choose free ports: PORT=", port)) {
		t.Errorf("err = %v", err)
	}
}
