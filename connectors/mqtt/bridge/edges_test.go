package bridge

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestAFullSpoolIsWaitedFor: the broker sends an unacknowledged message again
// only after a reconnect, so what the spool had no room for must not be let go.
func TestAFullSpoolIsWaitedFor(t *testing.T) {
	g := newFaas(t)
	var got tally
	var ok atomic.Bool
	g.deploy("f", batched, func(c calledWith) (int, string) {
		if !ok.Load() {
			return 503, "not now"
		}
		for _, d := range c.Data {
			got.add(strings.TrimRight(d, "."))
		}
		return 200, ""
	})
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), func(c *Config) { c.SpoolMiB = 1 })
	p := publisher(t, server.Addr, "house")
	for _, m := range numbered(900) {
		publish(t, p, "house/x", 1, false, m+strings.Repeat(".", 2000))
	}
	until(t, "a full spool", func() bool { return b.stats.refused.Load() > 0 })
	ok.Store(true)
	until(t, "all of them", func() bool { return got.n() == 900 })
	for m, n := range got.seen {
		if n != 1 {
			t.Errorf("%s came %d times", m, n)
		}
	}
}

// unstarted is a connector that does not run.
func unstarted(t *testing.T) *Bridge {
	t.Helper()
	b, err := New(Config{URL: "tcp://127.0.0.1:1", Dir: t.TempDir(), SpoolMiB: 64, SpoolPolicy: "refuse", DeadMax: 10},
		Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, Redact: func(s string, _ int) string { return s }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.spool.Close() })
	return b
}

func TestARedeliveryBesideItsFirstIsStoredOnce(t *testing.T) {
	b := unstarted(t)
	m := Message{Topic: "house/x", Payload: []byte("x"), QoS: 1, Packet: 7}
	other := m
	other.Packet = 8
	acks := 0
	ack := func() { acks++ }
	b.intake.write(t.Context(), []incoming{{Message: m, ack: ack}, {Message: other, ack: ack}, {Message: m, dup: true, ack: ack}})
	if n := b.spool.Stats().Appended; n != 2 || acks != 3 {
		t.Errorf("%d stored and %d acknowledged, want 2 and 3", n, acks)
	}
}

func TestMessagesOfQoS0DoNotFillTheSpool(t *testing.T) {
	g := newFaas(t)
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Topics...); return 200, "" })
	b, _ := run(t, g.URL, "127.0.0.1:1", t.TempDir(), func(c *Config) { c.SpoolMiB = 1 })
	listening(t, b, "f")
	for _, m := range numbered(3000) {
		b.intake.take(incoming{Message: Message{Topic: "house/" + m, Payload: make([]byte, 1000)}})
	}
	until(t, "all of them", func() bool { return got.n() == 3000 })
}

// TestABacklogThatWasThroughIsLetGo: killed between its last message and its
// end, a lane has nothing left to read after the restart.
func TestABacklogThatWasThroughIsLetGo(t *testing.T) {
	g := newFaas(t)
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	dir := t.TempDir()
	b, stop := run(t, g.URL, "127.0.0.1:1", dir)
	listening(t, b, "f")
	b.give("house/x", numbered(10)...)
	until(t, "ten", func() bool { return got.n() == 10 })
	next := b.spool.Next()
	stop()
	l, _, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	live, err := l.ReaderAt(laneName("f", next), next)
	if err := errors.Join(err, live.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	b, _ = run(t, g.URL, "127.0.0.1:1", dir)
	listening(t, b, "f")
	b.give("house/x", "last")
	until(t, "the last", func() bool { return got.n() == 11 })
	until(t, "one lane", func() bool { return len(lanesOf(b.spool, "f")) == 1 })
}

func TestAStopWaitsForTheCallsUnderWayAlone(t *testing.T) {
	g := newFaas(t)
	called, release := make(chan bool, 1000), make(chan bool)
	g.deploy("f", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, func(calledWith) (int, string) {
		called <- true
		<-release
		return 200, ""
	})
	b, stop := run(t, g.URL, "127.0.0.1:1", t.TempDir())
	listening(t, b, "f")
	b.give("house/x", numbered(100)...)
	<-called
	own := b.all()[0]
	until(t, "a queue", func() bool { return len(own.live[0]) > 50 })
	done := make(chan bool)
	go func() { stop(); close(done) }()
	until(t, "its end", func() bool { b.intake.mu.Lock(); defer b.intake.mu.Unlock(); return b.intake.closed })
	close(release)
	<-done
	if n := len(called); n > 1 {
		t.Errorf("%d calls after the stop, want none but those under way", n)
	}
}

func TestSlowPoisonLeavesTurnsToOthers(t *testing.T) {
	g := newFaas(t)
	var got tally
	g.deploy("f", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, func(c calledWith) (int, string) {
		if strings.HasPrefix(c.Body, "m") {
			time.Sleep(700 * time.Millisecond) // it is slow to fail
			return 500, "cannot digest this"
		}
		got.add(c.Body)
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	listening(t, b, "f")
	b.give("house/x", numbered(9)...)
	until(t, "all of them tried", func() bool { return b.all()[0].fails.Load() >= 18 })
	b.give("house/x", "good")
	until(t, "the good one", func() bool { return got.n() == 1 })
}

func TestAFunctionThatIsReplacedMissesNothing(t *testing.T) {
	g := newFaas(t)
	var got tally
	serve := func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" }
	g.deploy("f", batched, serve)
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), nil)
	p := publisher(t, server.Addr, "house")
	g.deploy("f", nil, nil)
	until(t, "it is gone", func() bool { return len(b.all()) == 0 })
	looks := g.looks.Load()
	until(t, "another look", func() bool { return g.looks.Load() > looks+2 })
	publish(t, p, "house/x", 1, false, numbered(10)...)
	g.deploy("f", batched, serve)
	until(t, "what came meanwhile", func() bool { return got.n() == 10 })
}

func TestARedirectIsNoAnswerOfAFunction(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			return // 200
		}
		http.Redirect(w, r, "/login", http.StatusFound)
	}))
	t.Cleanup(srv.Close)
	b := unstarted(t)
	b.gateway.url = srv.URL
	var buf = &(&worker{}).buf
	code, body, err := b.gateway.call(t.Context(), Function{Name: "f"}, []*item{{Message: Message{Topic: "a"}}}, buf, time.Second)
	if v, _, reason := judge(code, body, err); v == stored {
		t.Errorf("a redirect to a page counts as stored: %s", reason)
	}
}

func TestNodesAreNoWildcards(t *testing.T) {
	a := &acks{pending: map[string]wire.Place{}}
	for _, node := range []string{"pi4", "", "a/b", "+", "#", "a\x00", strings.Repeat("x", 300)} {
		a.set(node, wire.Place{Boot: "b", Seq: 1})
	}
	if len(a.pending) != 1 {
		t.Errorf("would publish to %v: a broker hangs up on most of them", a.pending)
	}
}
