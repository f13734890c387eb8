package deliver

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"

	"github.com/hearth-home/hearth/shared/wire"
)

var batched = map[string]string{"topic": "house/#", "mqtt-batch": "100"}

func TestEveryFunctionGetsTheTopicsItsFiltersMatch(t *testing.T) {
	g := mqtttest.NewGateway(t)
	filters := []string{"#", "+", "house/#", "house/+", "house/+/temp", "+/+/temp", "/house/+", "+/kitchen/#", "house/kitchen/temp", "other/#",
		"house", "$SYS/#", "house/kitchen", "+/+", "house/+/+"}
	topics := []string{"house", "house/kitchen", "house/kitchen/temp", "/house/x", "other/kitchen/temp", "$SYS/x", "house/"}
	got := map[string]*mqtttest.Tally{}
	for i, f := range filters {
		name := fmt.Sprintf("f%02d", i)
		got[name] = &mqtttest.Tally{}
		g.Deploy(name, map[string]string{"topic": f, "mqtt-batch": "10"}, func(c mqtttest.Call) (int, string) { got[name].Add(c.Topics...); return 200, "" })
	}
	b, _ := start(t, g, t.TempDir())
	mqtttest.Until(t, "functions", func() bool { return len(b.all()) == len(filters) })
	for _, topic := range topics {
		b.put(topic, "x")
	}
	for i, f := range filters {
		name := fmt.Sprintf("f%02d", i)
		want := map[string]int{}
		for _, topic := range topics {
			if reference(f, topic) {
				want[topic]++
			}
		}
		mqtttest.Until(t, f, func() bool { return got[name].N() == len(want) })
		for topic, n := range got[name].Seen() {
			if want[topic] != n {
				t.Errorf("%q got %s %d times, want %d", f, topic, n, want[topic])
			}
		}
	}
}

func TestAPlainFunctionGetsThePayload(t *testing.T) {
	g := mqtttest.NewGateway(t)
	calls := make(chan mqtttest.Call, 10)
	g.Deploy("plain", map[string]string{"topic": "a/+"}, func(c mqtttest.Call) (int, string) { calls <- c; return 202, "" })
	b, _ := start(t, g, t.TempDir())
	b.waitSubscribed("plain")
	b.put("a/b", `{"x":1}`)
	c := mqtttest.Next(t, "a call", calls)
	if c.Body != `{"x":1}` || c.Header.Get("X-Topic") != "a/b" || c.Header.Get("X-Mqtt-Id") == "" || c.Header.Get("X-Mqtt-Retained") != "false" {
		t.Errorf("%+v", c)
	}
	if _, err := time.Parse(time.RFC3339Nano, c.Header.Get("X-Mqtt-Time")); err != nil {
		t.Error(err)
	}
}

func TestThePoisonMessagesOfABatchBecomeDeadLetters(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	poison := func(d string) bool { return strings.HasSuffix(d, "13") }
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		if slices.ContainsFunc(c.Data, poison) {
			return 500, "cannot parse this"
		}
		got.Add(c.Data...)
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	b.waitSubscribed("f")
	all := mqtttest.Numbered(1000)
	b.put("house/x", all...)
	bad := 0
	for _, p := range all {
		if poison(p) {
			bad++
		}
	}
	mqtttest.Until(t, "the good messages", func() bool { return got.N() == 1000-bad })
	mqtttest.Until(t, "the dead letters", func() bool { return b.dead() == bad })
	for _, d := range b.letters.List(deadletter.Query{}) {
		if whole := b.readLetter(d); !poison(string(whole.Payload)) || !strings.Contains(d.Reason, "cannot parse this") {
			t.Errorf("dead letter %+v", whole)
		}
	}
	for p, n := range got.Seen() {
		if n != 1 {
			t.Errorf("%s stored %d times", p, n)
		}
	}
}

func TestAnAnswerDecidesMessageByMessage(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got, asked mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		var a wire.Answer
		for i, d := range c.Data {
			switch {
			case d == "m3":
				a.Rejected = append(a.Rejected, wire.Refusal{ID: c.IDs[i], Reason: "no mapping"})
			case d == "m5" && asked.N() == 0:
				asked.Add(c.IDs[i])
				a.Retry = append(a.Retry, wire.Refusal{ID: c.IDs[i], Reason: "name not known yet"})
			default:
				got.Add(d)
			}
		}
		body, _ := json.Marshal(a)
		return 207, string(body)
	})
	b, _ := start(t, g, t.TempDir())
	b.waitSubscribed("f")
	b.put("house/x", mqtttest.Numbered(10)...)
	mqtttest.Until(t, "nine stored", func() bool { return got.N() == 9 })
	ds := b.letters.List(deadletter.Query{})
	if len(ds) != 1 || ds[0].Reason != "no mapping" || ds[0].Topic != "house/x" {
		t.Errorf("dead letters %+v", ds)
	}
	if len(b.letters.List(deadletter.Query{Topic: "other/#"}))+len(b.letters.List(deadletter.Query{Function: "g"}))+len(b.letters.List(deadletter.Query{Reason: "another"})) != 0 {
		t.Error("a query that does not match matched")
	}
}

func TestReplayAfterAFixEmptiesTheDeadLetters(t *testing.T) {
	g := mqtttest.NewGateway(t)
	dir := t.TempDir()
	ids := map[string]string{}
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { return 400, "what is this?" })
	b, stop := start(t, g, dir)
	b.waitSubscribed("f")
	b.put("house/x", mqtttest.Numbered(20)...)
	mqtttest.Until(t, "20 dead letters", func() bool { return b.dead() == 20 })
	for _, d := range b.letters.List(deadletter.Query{}) {
		ids[d.ID] = d.Topic
	}
	stop()
	b, _ = start(t, g, dir)
	b.waitSubscribed("f")
	if n := b.dead(); n != 20 {
		t.Fatalf("%d dead letters after a restart, want 20", n)
	}
	b.letters.Replay(t.Context(), deadletter.Query{All: true})
	mqtttest.Until(t, "the messages to be refused again", func() bool { return b.letters.List(deadletter.Query{})[0].Count == 2 })
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.IDs...); return 200, "" })
	b.letters.Replay(t.Context(), deadletter.Query{Function: "f"})
	mqtttest.Until(t, "no dead letter", func() bool { return b.dead() == 0 })
	for id := range got.Seen() {
		if ids[id] == "" {
			t.Errorf("%s was delivered and is not the id of a dead letter", id)
		}
	}
	if got.N() != 20 {
		t.Errorf("%d replayed, want 20", got.N())
	}
}

func TestAFunctionCanRequestAReplay(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	var known atomic.Bool
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		a := wire.Answer{}
		for i, d := range c.Data {
			switch {
			case d == "name":
				known.Store(true)
				a.Replay = []wire.Pick{{Topic: "house/+/plug"}}
			case !known.Load():
				a.Rejected = append(a.Rejected, wire.Refusal{ID: c.IDs[i], Reason: "unknown name"})
			default:
				got.Add(d)
			}
		}
		body, _ := json.Marshal(a)
		return 207, string(body)
	})
	b, _ := start(t, g, t.TempDir())
	b.waitSubscribed("f")
	b.put("house/kitchen/plug", "early")
	mqtttest.Until(t, "a dead letter", func() bool { return b.dead() == 1 })
	b.put("house/names", "name")
	mqtttest.Until(t, "the replayed message to be stored", func() bool { return b.dead() == 0 && got.N() == 1 })
}

func TestABatchThatIsTooLargeIsHalved(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		if len(c.Data) > 7 || slices.Contains(c.Data, "m11") {
			return 413, ""
		}
		got.Add(c.Data...)
		return 200, ""
	})
	b, _ := start(t, g, t.TempDir())
	b.waitSubscribed("f")
	b.put("house/x", mqtttest.Numbered(50)...)
	mqtttest.Until(t, "49 messages and a dead letter", func() bool { return got.N() == 49 && b.dead() == 1 })
}

func TestARestartContinuesAtTheCursor(t *testing.T) {
	g := mqtttest.NewGateway(t)
	dir := t.TempDir()
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	for round := range 5 {
		b, stop := start(t, g, dir)
		b.waitSubscribed("f")
		for i := range 100 {
			b.put("house/x", fmt.Sprint("r", round, "-", i))
		}
		stop()
	}
	b, _ := start(t, g, dir)
	mqtttest.Until(t, "all messages of five runs", func() bool { return got.N() == 500 })
	mqtttest.Until(t, "no backlog", func() bool {
		cs := b.all()
		if len(cs) != 1 {
			return false
		}
		n, _, _ := cs[0].lag()
		return n == 0
	})
}

func TestOrderPerTopicIsKept(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var mu sync.Mutex
	got := map[string][]string{}
	fails := 0
	g.Deploy("f", map[string]string{"topic": "#", "mqtt-batch": "20", "mqtt-concurrency": "4"}, func(c mqtttest.Call) (int, string) {
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
	b.waitSubscribed("f")
	for i := range 200 {
		for topic := range 5 {
			b.put(fmt.Sprint("t", topic), fmt.Sprintf("%03d", i))
		}
	}
	mqtttest.Until(t, "all messages", func() bool {
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
			t.Errorf("%s was delivered out of order: %v", topic, ps)
		}
	}
}

func TestASlowFunctionDelaysOnlyItsOwnMessages(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	release := make(chan bool)
	g.Deploy("slow", batched, func(mqtttest.Call) (int, string) { <-release; return 200, "" })
	g.Deploy("quick", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	b, _ := start(t, g, t.TempDir())
	t.Cleanup(func() { close(release) })
	b.waitSubscribed("quick", "slow")
	b.put("house/x", mqtttest.Numbered(5000)...)
	mqtttest.Until(t, "all messages at the quick function", func() bool { return got.N() == 5000 })
}
