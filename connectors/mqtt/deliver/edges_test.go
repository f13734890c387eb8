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

// TestAnEmptyBacklogLaneIsRemoved: after a kill, the backlog's lane may have no record
// left to read, though it was not yet removed.
func TestAnEmptyBacklogLaneIsRemoved(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	dir := t.TempDir()
	b, stop := start(t, g, dir)
	b.waitSubscribed("f")
	b.put("house/x", mqtttest.Numbered(10)...)
	mqtttest.Until(t, "ten messages", func() bool { return got.N() == 10 })
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
	b.waitSubscribed("f")
	b.put("house/x", "last")
	mqtttest.Until(t, "the last message", func() bool { return got.N() == 11 })
	mqtttest.Until(t, "one lane", func() bool { return len(message.Lanes(b.spool, "f")) == 1 })
}

func TestAStopWaitsOnlyForTheCallsInFlight(t *testing.T) {
	g := mqtttest.NewGateway(t)
	called, release := make(chan bool, 1000), make(chan bool)
	g.Deploy("f", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, func(mqtttest.Call) (int, string) {
		called <- true
		<-release
		return 200, ""
	})
	b, stop := start(t, g, t.TempDir())
	b.waitSubscribed("f")
	b.put("house/x", mqtttest.Numbered(100)...)
	mqtttest.Next(t, "a call", called)
	own := b.all()[0]
	mqtttest.Until(t, "a queue", func() bool { return len(own.live[0]) > 50 })
	done := make(chan bool)
	go func() { stop(); close(done) }()
	<-b.ending
	close(release)
	<-done
	if n := len(called); n > 1 {
		t.Errorf("%d calls after the stop, want at most the one in flight", n)
	}
}

func TestMessagesThatFailSlowlyDoNotStarveOthers(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", map[string]string{"topic": "house/#", "mqtt-concurrency": "1"}, func(c mqtttest.Call) (int, string) {
		if strings.HasPrefix(c.Body, "m") {
			time.Sleep(700 * time.Millisecond)
			return 500, "cannot parse this"
		}
		got.Add(c.Body)
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	b.waitSubscribed("f")
	b.put("house/x", mqtttest.Numbered(9)...)
	mqtttest.Until(t, "all of them tried", func() bool { return b.all()[0].failures.Load() >= 18 })
	b.put("house/x", "good")
	mqtttest.Until(t, "the good message", func() bool { return got.N() == 1 })
}

func TestARedirectIsNoAnswer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			return // 200
		}
		http.Redirect(w, r, "/login", http.StatusFound)
	}))
	t.Cleanup(srv.Close)
	b := open(t, srv.URL, t.TempDir())
	var buf bytes.Buffer
	code, body, err := b.gateway.call(t.Context(), subscriber{Name: "f"}, []*item{{Message: message.Message{Topic: "a"}}}, &buf)
	if v, _, reason := judge(code, body, err); v == stored {
		t.Errorf("a redirect to a page counts as stored: %s", reason)
	}
}

func TestAcksIgnoreInvalidNodeNames(t *testing.T) {
	a := &acks{pending: map[string]*pendingAck{}}
	for _, node := range []string{"pi4", "", "a/b", "+", "#", "a\x00", strings.Repeat("x", 300)} {
		a.set(node, wire.StoredUpTo{Boot: "b", Seq: 1})
	}
	if len(a.pending) != 1 {
		t.Errorf("acknowledgements for %v, want only pi4: a broker disconnects a client that publishes to invalid topics", a.pending)
	}
}
