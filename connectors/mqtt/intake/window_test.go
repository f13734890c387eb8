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

// TestASyncIsDueWhenTheBrokerMayBeWaiting: otherwise a backlog would come at one window
// a second.
func TestASyncIsDueWhenTheBrokerMayBeWaiting(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	const ms = time.Millisecond
	for _, c := range []struct {
		count     int
		gap, came time.Duration // mean gap between messages, and time since the last one
		since     time.Duration // since the oldest message in the queue
		wait      time.Duration
		sync      bool
	}{
		{20, 0, 4 * ms, 10 * ms, 1 * ms, false}, // more may come
		{20, 0, 5 * ms, 10 * ms, checkEvery, true},
		{15, 0, 90 * ms, 100 * ms, checkEvery, false}, // the window is not full
		{30, 10 * ms, 30 * ms, 300 * ms, 10 * ms, false},
		{30, 10 * ms, 40 * ms, 300 * ms, checkEvery, true},
		{1, 300 * ms, 999 * ms, 999 * ms, checkEvery, false},
		{1, 300 * ms, 1000 * ms, 1000 * ms, checkEvery, true}, // maxAckDelay
		{0, 0, 900 * ms, 900 * ms, checkEvery, false},         // of QoS 0: the broker does not wait
	} {
		a := newAckQueue(nil, nil, nil)
		a.queue = []unacked{{since: now.Add(-c.since)}}
		a.inFlight, a.window, a.meanGap, a.lastArrival = c.count, maxWindow, c.gap, now.Add(-c.came)
		if wait, sync := a.due(now); wait != c.wait || sync != c.sync {
			t.Errorf("%+v: due = %s, %v", c, wait, sync)
		}
	}
	if wait, sync := newAckQueue(nil, nil, nil).due(now); wait != 0 || sync {
		t.Errorf("due = %s, %v for an empty queue, want 0, false", wait, sync)
	}
}

// TestABrokerWithASmallWindowGetsAcksSoon: the broker sends a few messages and waits
// for their acknowledgements. It gets them soon, though no function stores a message.
func TestABrokerWithASmallWindowGetsAcksSoon(t *testing.T) {
	for _, window := range []int{1, 10} {
		t.Run(strconv.Itoa(window), func(t *testing.T) {
			const n = 300
			server := testserver.OwnMosquitto(t, 0, fmt.Sprint("max_inflight_messages ", window))
			r := newAckRig(t, spool.Options{})
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
			mqtttest.Until(t, "all acknowledgements", func() bool { return in.Stats().Taken == n })
			syncs := r.syncs() - before
			t.Logf("%d syncs for %d messages", syncs, n)
			if syncs > n+20 || window == 10 && syncs > n/2 {
				t.Errorf("%d syncs for %d messages", syncs, n)
			}
		})
	}
}

// TestTheWindowIsLearned: a window that is learned too small would cost syncs for
// messages that their functions are about to store.
func TestTheWindowIsLearned(t *testing.T) {
	a := newAckQueue(nil, nil, nil)
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	come := func(n int, after time.Duration) {
		at = at.Add(after)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.learn(n, at)
	}
	free := func(after time.Duration) {
		at = at.Add(after)
		a.inFlight, a.ackedAt, a.stalledAt = 0, at, a.inFlight
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
	want("seven messages", 7)
	free(250 * time.Millisecond)
	come(1, 100*time.Millisecond)
	want("a message long after the acknowledgements", 7)
	free(250 * time.Millisecond)
	come(1, time.Millisecond)
	want("a message right after an acknowledgement", 1)
	come(60, time.Millisecond)
	want("many messages", maxWindow)
}
