package bridge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

var batched = map[string]string{"topic": "house/#", "mqtt-batch": "100"}

func TestEveryFunctionGetsWhatItsFiltersSay(t *testing.T) {
	g := newFaas(t)
	filters := []string{"#", "+", "house/#", "house/+", "house/+/temp", "+/+/temp", "/house/+", "+/kitchen/#", "house/kitchen/temp", "other/#",
		"house", "$SYS/#", "house/kitchen", "+/+", "house/+/+"}
	topics := []string{"house", "house/kitchen", "house/kitchen/temp", "/house/x", "other/kitchen/temp", "$SYS/x", "house/"}
	got := map[string]*tally{}
	for i, f := range filters {
		name := fmt.Sprintf("f%02d", i)
		got[name] = &tally{}
		g.deploy(name, map[string]string{"topic": f, "mqtt-batch": "10"}, func(c calledWith) (int, string) { got[name].add(c.Topics...); return 200, "" })
	}
	b, _ := start(t, g, t.TempDir())
	until(t, "functions", func() bool { return len(b.all()) == len(filters) })
	for _, topic := range topics {
		b.give(topic, "x")
	}
	for i, f := range filters {
		name := fmt.Sprintf("f%02d", i)
		want := map[string]int{}
		for _, topic := range topics {
			if reference(f, topic) {
				want[topic]++
			}
		}
		until(t, f, func() bool { return got[name].n() == len(want) })
		for topic, n := range got[name].seen {
			if want[topic] != n {
				t.Errorf("%q got %s %d times, want %d", f, topic, n, want[topic])
			}
		}
	}
}

func TestAPlainFunctionGetsThePayload(t *testing.T) {
	g := newFaas(t)
	calls := make(chan calledWith, 10)
	g.deploy("plain", map[string]string{"topic": "a/+"}, func(c calledWith) (int, string) { calls <- c; return 202, "" })
	b, _ := start(t, g, t.TempDir())
	listening(t, b, "plain")
	b.give("a/b", `{"x":1}`)
	c := <-calls
	if c.Body != `{"x":1}` || c.Header.Get("X-Topic") != "a/b" || c.Header.Get("X-Mqtt-Id") == "" || c.Header.Get("X-Mqtt-Retained") != "false" {
		t.Errorf("%+v", c)
	}
	if _, err := time.Parse(time.RFC3339Nano, c.Header.Get("X-Mqtt-Time")); err != nil {
		t.Error(err)
	}
}

func TestNothingIsLostWhileTheFunctionIsAway(t *testing.T) {
	for name, code := range map[string]int{"no such function": 404, "store away": 503, "not now": 429, "broken": 500, "bad gateway": 502} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newFaas(t)
			var got, tried tally
			var ok bool
			var mu sync.Mutex
			g.deploy("f", batched, func(c calledWith) (int, string) {
				mu.Lock()
				defer mu.Unlock()
				tried.add(c.Data...)
				if !ok {
					return code, "not now"
				}
				got.add(c.Data...)
				return 200, ""
			})
			b, _ := start(t, g, t.TempDir())
			listening(t, b, "f")
			b.give("house/x", numbered(300)...)
			until(t, "a few tries", func() bool { return tried.n() > 0 && b.all()[0].calls.Load() > 8 })
			mu.Lock()
			ok = true
			mu.Unlock()
			until(t, "all 300", func() bool { return got.n() == 300 })
			if n, _ := b.dead.counts(); n != 0 {
				t.Errorf("%d dead letters, want none: nothing succeeded", n)
			}
		})
	}
}

func TestPoisonIsFoundAndItsNeighboursAreStored(t *testing.T) {
	g := newFaas(t)
	var got tally
	poison := func(d string) bool { return strings.HasSuffix(d, "13") }
	g.deploy("f", batched, func(c calledWith) (int, string) {
		if slices.ContainsFunc(c.Data, poison) {
			return 500, "cannot digest this"
		}
		got.add(c.Data...)
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	listening(t, b, "f")
	all := numbered(1000)
	b.give("house/x", all...)
	bad := 0
	for _, p := range all {
		if poison(p) {
			bad++
		}
	}
	until(t, "the good ones", func() bool { return got.n() == 1000-bad })
	until(t, "the dead letters", func() bool { n, _ := b.dead.counts(); return n == bad })
	for _, d := range b.dead.list(Query{}) {
		whole, err := b.dead.read(fileName(d.Function, d.ID))
		if err != nil || !poison(string(whole.Payload)) || !strings.Contains(d.Reason, "cannot digest this") {
			t.Errorf("dead letter %+v, %v", whole, err)
		}
	}
	for p, n := range got.seen {
		if n != 1 {
			t.Errorf("%s stored %d times", p, n)
		}
	}
}

func TestAnAnswerDecidesMessageByMessage(t *testing.T) {
	g := newFaas(t)
	var got, asked tally
	g.deploy("f", batched, func(c calledWith) (int, string) {
		var a wire.Answer
		for i, d := range c.Data {
			switch {
			case d == "m3":
				a.Rejected = append(a.Rejected, wire.Refusal{ID: c.IDs[i], Reason: "no mapping"})
			case d == "m5" && asked.n() == 0:
				asked.add(c.IDs[i])
				a.Retry = append(a.Retry, wire.Refusal{ID: c.IDs[i], Reason: "name not known yet"})
			default:
				got.add(d)
			}
		}
		body, _ := json.Marshal(a)
		return 207, string(body)
	})
	b, _ := start(t, g, t.TempDir())
	listening(t, b, "f")
	b.give("house/x", numbered(10)...)
	until(t, "nine stored", func() bool { return got.n() == 9 })
	ds := b.dead.list(Query{})
	if len(ds) != 1 || ds[0].Reason != "no mapping" || ds[0].Topic != "house/x" {
		t.Errorf("dead letters %+v", ds)
	}
	if len(b.dead.list(Query{Topic: "other/#"}))+len(b.dead.list(Query{Function: "g"}))+len(b.dead.list(Query{Reason: "another"})) != 0 {
		t.Error("a query that does not match matched")
	}
}

func TestReplayAfterAFixEmptiesTheDeadLetters(t *testing.T) {
	g := newFaas(t)
	dir := t.TempDir()
	ids := map[string]string{}
	g.deploy("f", batched, func(c calledWith) (int, string) { return 400, "what is this?" })
	b, stop := start(t, g, dir)
	listening(t, b, "f")
	b.give("house/x", numbered(20)...)
	until(t, "20 dead letters", func() bool { n, _ := b.dead.counts(); return n == 20 })
	for _, d := range b.dead.list(Query{}) {
		ids[d.ID] = d.Topic
	}
	stop()
	b, _ = start(t, g, dir)
	listening(t, b, "f")
	if n, _ := b.dead.counts(); n != 20 {
		t.Fatalf("%d dead letters after a restart, want 20", n)
	}
	b.dead.replay(t.Context(), Query{})
	until(t, "refused again", func() bool { return b.dead.list(Query{})[0].Count == 2 })
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.IDs...); return 200, "" })
	b.dead.replay(t.Context(), Query{Function: "f"})
	until(t, "no dead letter", func() bool { n, _ := b.dead.counts(); return n == 0 })
	for id := range got.seen {
		if ids[id] == "" {
			t.Errorf("%s came, which is no replayed id", id)
		}
	}
	if got.n() != 20 {
		t.Errorf("%d replayed, want 20", got.n())
	}
}

func TestAFunctionCanAskForItsDeadLetters(t *testing.T) {
	g := newFaas(t)
	var got tally
	var known atomic.Bool
	g.deploy("f", batched, func(c calledWith) (int, string) {
		a := wire.Answer{}
		for i, d := range c.Data {
			switch {
			case d == "name":
				known.Store(true)
				a.Replay = []wire.Pick{{Topic: "house/+/plug"}}
			case !known.Load():
				a.Rejected = append(a.Rejected, wire.Refusal{ID: c.IDs[i], Reason: "unknown name"})
			default:
				got.add(d)
			}
		}
		body, _ := json.Marshal(a)
		return 207, string(body)
	})
	b, _ := start(t, g, t.TempDir())
	listening(t, b, "f")
	b.give("house/kitchen/plug", "early")
	until(t, "a dead letter", func() bool { n, _ := b.dead.counts(); return n == 1 })
	b.give("house/names", "name")
	until(t, "it is stored and gone", func() bool { n, _ := b.dead.counts(); return n == 0 && got.n() == 1 })
}

func TestWhatIsTooLargeIsHalved(t *testing.T) {
	g := newFaas(t)
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) {
		if len(c.Data) > 7 || slices.Contains(c.Data, "m11") {
			return 413, ""
		}
		got.add(c.Data...)
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	listening(t, b, "f")
	b.give("house/x", numbered(50)...)
	until(t, "49 and a dead letter", func() bool { n, _ := b.dead.counts(); return got.n() == 49 && n == 1 })
}

func TestARestartGoesOnWhereItWas(t *testing.T) {
	g := newFaas(t)
	dir := t.TempDir()
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	for round := range 5 {
		b, stop := start(t, g, dir)
		listening(t, b, "f")
		for i := range 100 {
			b.give("house/x", fmt.Sprint("r", round, "-", i))
		}
		stop()
	}
	b, _ := start(t, g, dir)
	until(t, "all of five rounds", func() bool { return got.n() == 500 })
	until(t, "no backlog", func() bool {
		cs := b.all()
		if len(cs) != 1 {
			return false
		}
		n, _, _ := cs[0].lag()
		return n == 0
	})
}

func TestOrderPerTopicIsKept(t *testing.T) {
	g := newFaas(t)
	var mu sync.Mutex
	got := map[string][]string{}
	fails := 0
	g.deploy("f", map[string]string{"topic": "#", "mqtt-batch": "20", "mqtt-concurrency": "4"}, func(c calledWith) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		if fails++; fails%7 == 0 {
			return 503, ""
		}
		for i, topic := range c.Topics {
			got[topic] = append(got[topic], c.Data[i])
		}
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	listening(t, b, "f")
	for i := range 200 {
		for topic := range 5 {
			b.give(fmt.Sprint("t", topic), fmt.Sprintf("%03d", i))
		}
	}
	until(t, "all", func() bool {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for _, ps := range got {
			n += len(ps)
		}
		return n == 1000
	})
	for topic, ps := range got {
		if !slices.IsSorted(ps) {
			t.Errorf("%s came out of order: %v", topic, ps)
		}
	}
}

func TestARedeliveryIsStoredOnceAndKeepsItsTime(t *testing.T) {
	g := newFaas(t)
	dir := t.TempDir()
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	redeliver := func(b *Bridge, packet uint16, dup bool, payload string) (acked bool) {
		done := make(chan bool)
		b.intake.take(incoming{Message: Message{Topic: "house/x", Payload: []byte(payload), QoS: 1, Packet: packet}, dup: dup, ack: func() { close(done) }})
		<-done
		return true
	}
	b, stop := start(t, g, dir)
	listening(t, b, "f")
	redeliver(b, 7, false, "once")
	redeliver(b, 7, true, "once")
	stop()
	b, _ = start(t, g, dir)
	listening(t, b, "f")
	redeliver(b, 7, true, "once")  // the same again, after a restart
	redeliver(b, 7, false, "once") // not marked: a message of its own
	redeliver(b, 8, true, "other") // marked, and yet never seen
	until(t, "three", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.log) >= 3 })
	if got.seen["once"] != 2 || got.seen["other"] != 1 {
		t.Errorf("got %v; want once twice and other once", got.seen)
	}
	if n := b.stats.redelivered.Load(); n != 1 {
		t.Errorf("%d recognised after the restart, want 1", n)
	}
}

func TestASlowFunctionHoldsUpOnlyItself(t *testing.T) {
	g := newFaas(t)
	var got tally
	release := make(chan bool)
	g.deploy("slow", batched, func(calledWith) (int, string) { <-release; return 200, "" })
	g.deploy("quick", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	b, _ := start(t, g, t.TempDir())
	t.Cleanup(func() { close(release) })
	listening(t, b, "quick", "slow")
	b.give("house/x", numbered(5000)...)
	until(t, "the quick one has all", func() bool { return got.n() == 5000 })
}

func TestWhatComesBeforeTheFirstLookIsDelivered(t *testing.T) {
	g, dir := newFaas(t), t.TempDir()
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	g.setAway(true)
	b, stop := start(t, g, dir)
	b.give("house/x", "early")
	until(t, "early in the spool", func() bool { return b.stats.taken.Load() == 1 })
	stop()
	b, _ = start(t, g, dir)
	b.give("house/x", "later")
	until(t, "later in the spool", func() bool { return b.stats.taken.Load() == 1 })
	g.setAway(false)
	until(t, "both", func() bool { return got.n() == 2 })
}

func TestTheGatewayIsWaitedFor(t *testing.T) {
	g := newFaas(t)
	var got tally
	g.deploy("f", batched, func(c calledWith) (int, string) { got.add(c.Data...); return 200, "" })
	g.setAway(true)
	b, _ := start(t, g, t.TempDir())
	until(t, "a look", func() bool { return !b.looked })
	g.setAway(false)
	listening(t, b, "f")
	b.give("house/x", "a")
	until(t, "a", func() bool { return got.n() == 1 })
	g.setAway(true)
	b.give("house/x", "b")
	until(t, "a failure", func() bool { return b.all()[0].fails.Load() > 0 })
	g.setAway(false)
	until(t, "b", func() bool { return got.n() == 2 })
	g.deploy("late", map[string]string{"topic": "late/#"}, func(c calledWith) (int, string) { got.add(c.Body); return 200, "" })
	listening(t, b, "f", "late")
	b.give("late/x", "c")
	until(t, "c", func() bool { return got.n() == 3 })
	g.deploy("late", nil, nil)
	listening(t, b, "f")
}
