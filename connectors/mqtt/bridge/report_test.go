package bridge

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// TestAProblemWithTheBrokerReachesTheStore: while the broker is down. A connector that was
// restarted meanwhile reports the end.
func TestAProblemWithTheBrokerReachesTheStore(t *testing.T) {
	m := testserver.OwnMosquitto(t, 0)
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", map[string]string{"topic": "hearth/#", "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) {
		for i, topic := range c.Topics {
			got.Add(topic + " " + c.Data[i])
		}
		return 200, ""
	})
	reported := func(state, problem string) func() bool {
		return func() bool {
			for s := range got.Seen() {
				if strings.HasPrefix(s, "hearth/connector/status ") && strings.Contains(s, state) && strings.Contains(s, problem) {
					return true
				}
			}
			return false
		}
	}
	var later atomic.Int64
	c := testConfig(g.URL, m.Addr, t.TempDir())
	start := func() (stop func()) {
		b, err := New(t.Context(), c, Options{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) },
			Redact: func(s string, n int) string { return s[:min(len(s), n)] }, Report: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		mqtttest.Until(t, "the problem", func() bool { return b.Problem().Kind != "" })
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	stop := start()
	for !reported(`"state":"offline"`, "nothing listens at ")() {
		later.Add(int64(reportAfter)) // at each look another half a minute
		time.Sleep(reportEvery / 2)
	}
	stop()
	if n := got.N(); n != 1 {
		t.Errorf("%d messages, want one: %v", n, got.Seen())
	}
	stop = start()
	defer stop()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	mqtttest.Until(t, "the end of the problem", reported(`"state":"online"`, ""))
}

// TestAMarkThatCannotBeWrittenRepeatsNoReport: a folder stands in its place; on a full disk
// it cannot be written either. The problem is reported once, and the mark is tried again.
func TestAMarkThatCannotBeWrittenRepeatsNoReport(t *testing.T) {
	b, _ := run(t, mqtttest.NewGateway(t).URL, free.Addr(t), t.TempDir())
	mqtttest.Until(t, "the problem", func() bool { return b.Problem().Kind != "" })
	r := &reporter{Bridge: b, since: time.Now().Add(-time.Hour)}
	if err := os.MkdirAll(filepath.Join(r.mark(), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := b.spool.Next()
	for range 3 {
		r.look(t.Context())
	}
	if n := b.spool.Next() - before; n != 1 {
		t.Errorf("%d reports of one problem", n)
	}
	if err := os.RemoveAll(r.mark()); err != nil {
		t.Fatal(err)
	}
	r.look(t.Context())
	if text, err := os.ReadFile(r.mark()); err != nil || string(text) != string(b.Problem().Kind) {
		t.Errorf("the mark says %q, %v", text, err)
	}
}

// TestAProblemThatAlternatesIsReportedAfterAWhile: each report takes room in the spool.
func TestAProblemThatAlternatesIsReportedAfterAWhile(t *testing.T) {
	b, _ := run(t, mqtttest.NewGateway(t).URL, free.Addr(t), t.TempDir())
	mqtttest.Until(t, "the problem", func() bool { return b.Problem().Kind != "" })
	r := &reporter{Bridge: b, since: time.Now().Add(-time.Hour)}
	before := b.spool.Next()
	for range 3 {
		r.look(t.Context())
		r.reported = "another" // as if it had been the other kind
	}
	if n := b.spool.Next() - before; n != 1 {
		t.Errorf("%d reports within a moment, want 1", n)
	}
}
