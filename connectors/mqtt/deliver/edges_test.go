package deliver

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestABacklogThatWasThroughIsLetGo: killed between its last message and its
// end, a lane has nothing left to read after the restart.
func TestABacklogThatWasThroughIsLetGo(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	dir := t.TempDir()
	b, stop := start(t, g, dir)
	b.listening("f")
	b.give("house/x", mqtttest.Numbered(10)...)
	mqtttest.Until(t, "ten", func() bool { return got.N() == 10 })
	next := b.spool.Next()
	stop()
	l, _, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	live, err := l.ReaderAt(message.LaneName("f", next), next)
	if err := errors.Join(err, live.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	b, _ = start(t, g, dir)
	b.listening("f")
	b.give("house/x", "last")
	mqtttest.Until(t, "the last", func() bool { return got.N() == 11 })
	mqtttest.Until(t, "one lane", func() bool { return len(message.Lanes(b.spool, "f")) == 1 })
}

func TestAStopWaitsForTheCallsUnderWayAlone(t *testing.T) {
	g := mqtttest.NewGateway(t)
	called, release := make(chan bool, 1000), make(chan bool)
	g.Deploy("f", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, func(mqtttest.Call) (int, string) {
		called <- true
		<-release
		return 200, ""
	})
	b, stop := start(t, g, t.TempDir())
	b.listening("f")
	b.give("house/x", mqtttest.Numbered(100)...)
	<-called
	own := b.all()[0]
	mqtttest.Until(t, "a queue", func() bool { return len(own.live[0]) > 50 })
	done := make(chan bool)
	go func() { stop(); close(done) }()
	<-b.ending
	close(release)
	<-done
	if n := len(called); n > 1 {
		t.Errorf("%d calls after the stop, want none but those under way", n)
	}
}

func TestSlowPoisonLeavesTurnsToOthers(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, func(c mqtttest.Call) (int, string) {
		if strings.HasPrefix(c.Body, "m") {
			time.Sleep(700 * time.Millisecond) // it is slow to fail
			return 500, "cannot digest this"
		}
		got.Add(c.Body)
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	b.listening("f")
	b.give("house/x", mqtttest.Numbered(9)...)
	mqtttest.Until(t, "all of them tried", func() bool { return b.all()[0].fails.Load() >= 18 })
	b.give("house/x", "good")
	mqtttest.Until(t, "the good one", func() bool { return got.N() == 1 })
}

func TestARedirectIsNoAnswerOfAFunction(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			return // 200
		}
		http.Redirect(w, r, "/login", http.StatusFound)
	}))
	t.Cleanup(srv.Close)
	b := open(t, srv.URL, t.TempDir())
	var buf bytes.Buffer
	code, body, err := b.gateway.call(t.Context(), listener{Name: "f"}, []*item{{Message: message.Message{Topic: "a"}}}, &buf)
	if v, _, reason := judge(code, body, err); v == stored {
		t.Errorf("a redirect to a page counts as stored: %s", reason)
	}
}

func TestNodesAreNoWildcards(t *testing.T) {
	a := &acks{pending: map[string]*ackDue{}}
	for _, node := range []string{"pi4", "", "a/b", "+", "#", "a\x00", strings.Repeat("x", 300)} {
		a.set(node, wire.Place{Boot: "b", Seq: 1})
	}
	if len(a.pending) != 1 {
		t.Errorf("would publish to %v: a broker hangs up on most of them", a.pending)
	}
}
