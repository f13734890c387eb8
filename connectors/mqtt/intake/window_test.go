package intake

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/testserver"
)

// A broker that sends no more before it has acknowledgements gets them: without
// them a backlog would come at one window a second.
func TestABrokerThatWaitsIsAnswered(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	const ms = time.Millisecond
	for _, c := range []struct {
		count     int
		gap, came time.Duration // between messages, and since the last
		since     time.Duration // since the first that waits
		wait      time.Duration
		sync      bool
	}{
		{20, 0, 4 * ms, 10 * ms, 1 * ms, false}, // may go on
		{20, 0, 5 * ms, 10 * ms, ackLook, true},
		{15, 0, 90 * ms, 100 * ms, ackLook, false}, // it has sent more
		{30, 10 * ms, 30 * ms, 300 * ms, 10 * ms, false},
		{30, 10 * ms, 40 * ms, 300 * ms, ackLook, true},
		{1, 300 * ms, 999 * ms, 999 * ms, ackLook, false},
		{1, 300 * ms, 1000 * ms, 1000 * ms, ackLook, true}, // long enough
		{0, 0, 900 * ms, 900 * ms, ackLook, false},         // of QoS 0
	} {
		a := newLater(nil, nil, nil)
		a.queue = []unacked{{since: now.Add(-c.since)}}
		a.count, a.window, a.gap, a.came = c.count, maxWindow, c.gap, now.Add(-c.came)
		if wait, sync := a.due(now); wait != c.wait || sync != c.sync {
			t.Errorf("%+v: %s, %v", c, wait, sync)
		}
	}
	if wait, sync := newLater(nil, nil, nil).due(now); wait != 0 || sync {
		t.Errorf("%s, %v where nothing waits", wait, sync)
	}
}

// TestABrokerWithASmallWindowIsNotHeldUp: one that sends a few messages and then
// waits for their acknowledgements gets them soon, though no function stores any.
func TestABrokerWithASmallWindowIsNotHeldUp(t *testing.T) {
	for _, window := range []int{1, 10} {
		t.Run(strconv.Itoa(window), func(t *testing.T) {
			const n = 300
			server := testserver.OwnMosquitto(t, 0, fmt.Sprint("max_inflight_messages ", window))
			r := newLateRig(t, spool.Options{})
			in, err := New(Options{Broker: mqttclient.Access{URL: "tcp://" + server.Addr, ClientID: "connector"}, Topic: "house/#",
				Spool: r.spool, Recent: r.w.recent, AckLater: true, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan bool)
			go func() { in.Run(ctx); close(done) }()
			t.Cleanup(func() { cancel(); <-done })
			in.Subscribe(nil)
			mqtttest.Until(t, "the subscription", in.Ready)
			c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + server.Addr).SetClientID("p"))
			if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
				t.Fatal(tok.Error())
			}
			t.Cleanup(func() { c.Disconnect(0) })
			for range n {
				c.Publish("house/x", 1, false, "x")
			}
			before := r.syncs()
			mqtttest.Until(t, "all are acknowledged", func() bool { return in.Stats().Taken == n })
			syncs := r.syncs() - before
			t.Logf("%d syncs for %d messages", syncs, n)
			if syncs > n+20 || window == 10 && syncs > n/2 {
				t.Errorf("%d syncs for %d messages", syncs, n)
			}
		})
	}
}

// A broker that could send more is not answered early: what its functions are about
// to store costs no sync.
func TestTheWindowIsLearned(t *testing.T) {
	a := newLater(nil, nil, nil)
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	come := func(n int, after time.Duration) {
		at = at.Add(after)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.learn(n, at)
	}
	free := func(after time.Duration) {
		at = at.Add(after)
		a.count, a.freed, a.held = 0, at, a.count
	}
	want := func(what string, window int) {
		t.Helper()
		if a.window != window {
			t.Errorf("%s: window %d, want %d", what, a.window, window)
		}
	}
	for range 7 {
		come(1, 10*time.Millisecond)
	}
	want("seven came", 7)
	free(250 * time.Millisecond)
	come(1, 100*time.Millisecond)
	want("after a while one more came", 7)
	free(250 * time.Millisecond)
	come(1, time.Millisecond)
	want("one was acknowledged, and at once the next came", 1)
	come(60, time.Millisecond)
	want("many came", maxWindow)
}
