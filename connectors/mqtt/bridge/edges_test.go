package bridge

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/testserver"
)

// TestMessagesThatTheSpoolRefusesAreKept: the broker sends an unacknowledged message
// again only after a reconnect. So the connector must not forget a message that the
// spool had no room for.
func TestMessagesThatTheSpoolRefusesAreKept(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	var ok atomic.Bool
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		if !ok.Load() {
			return 503, "not now"
		}
		for _, d := range c.Data {
			got.Add(strings.TrimRight(d, "."))
		}
		return 200, ""
	})
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), func(c *Config) { c.SpoolMiB = 1 })
	p := publisher(t, server.Addr, "house")
	for _, m := range mqtttest.Numbered(900) {
		publish(t, p, "house/x", 1, false, m+strings.Repeat(".", 2000))
	}
	mqtttest.Until(t, "a full spool", func() bool { return b.intake.Stats().Refused > 0 })
	ok.Store(true)
	mqtttest.Until(t, "all of them", func() bool { return got.N() == 900 })
	for m, n := range got.Seen() {
		if n != 1 {
			t.Errorf("%s was delivered %d times, want once", m, n)
		}
	}
}

func TestMessagesOfQoS0DoNotFillTheSpool(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Topics...); return 200, "" })
	server := testserver.OwnMosquitto(t, 0)
	connect(t, g, server.Addr, t.TempDir(), func(c *Config) { c.SpoolMiB = 1 })
	p := publisher(t, server.Addr, "house")
	for i, m := range mqtttest.Numbered(3000) {
		p.Publish("house/"+m, 0, false, make([]byte, 1000)).Wait()
		if i%500 == 499 { // a broker drops messages of QoS 0 if they come faster than it can send them
			mqtttest.Until(t, "the messages so far", func() bool { return got.N() == i+1 })
		}
	}
	mqtttest.Until(t, "all of them", func() bool { return got.N() == 3000 })
}

func TestAFunctionThatIsDeployedAgainMissesNothing(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	serve := func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" }
	g.Deploy("f", batched, serve)
	server := testserver.OwnMosquitto(t, 0)
	b, _ := connect(t, g, server.Addr, t.TempDir(), nil)
	p := publisher(t, server.Addr, "house")
	g.Deploy("f", nil, nil)
	mqtttest.Until(t, "no function", func() bool { return len(b.deliver.Stats().Functions) == 0 })
	listings := g.Listings.Load()
	mqtttest.Until(t, "more requests for the list of functions", func() bool { return g.Listings.Load() > listings+2 })
	publish(t, p, "house/x", 1, false, mqtttest.Numbered(10)...)
	g.Deploy("f", batched, serve)
	mqtttest.Until(t, "the messages published meanwhile", func() bool { return got.N() == 10 })
}

// TestALetterIsInFlightOnce: a second replay, before the function has answered or after
// a restart, does not send a letter twice. If the function rejects the letter, it is
// sent once more: the function may have changed meanwhile.
func TestALetterIsInFlightOnce(t *testing.T) {
	g := mqtttest.NewGateway(t)
	dir := t.TempDir()
	var code atomic.Int64
	var got mqtttest.Tally
	code.Store(400)
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		if code.Load() == 200 {
			got.Add(c.IDs...)
		}
		return int(code.Load()), ""
	})
	b, stop := start(t, g, dir)
	waitSubscribed(t, b, "f")
	put(t, b, "house/x", mqtttest.Numbered(20)...)
	mqtttest.Until(t, "20 letters", func() bool { return b.letters.Stats().Letters == 20 })
	code.Store(503)
	replay := func(want deadletter.Replay) {
		t.Helper()
		if done, err := b.letters.Replay(t.Context(), deadletter.Query{Function: "f"}); done != want || err != nil {
			t.Errorf("%+v, %v; want %+v", done, err, want)
		}
	}
	replay(deadletter.Replay{Replayed: 20})
	replay(deadletter.Replay{OnTheWay: 20})
	stop()
	b, _ = start(t, g, dir)
	replay(deadletter.Replay{OnTheWay: 20})
	code.Store(400)
	mqtttest.Until(t, "the letters to be rejected, sent once more and rejected again", func() bool {
		return len(b.letters.List(deadletter.Query{Reason: "400"})) == 20 && b.letters.List(deadletter.Query{})[19].Count == 3
	})
	mqtttest.Until(t, "no letter in flight", func() bool { return !message.Pending(b.spool, "f", b.spool.Next()-1) })
	code.Store(503)
	replay(deadletter.Replay{Replayed: 20})
	code.Store(200)
	mqtttest.Until(t, "no letter", func() bool { return b.letters.Stats().Letters == 0 })
	for id, n := range got.Seen() {
		if n != 1 {
			t.Errorf("%s was stored %d times", id, n)
		}
	}
}
