package deadletter

import (
	"context"
	"errors"
	"fmt"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

// offered stands for the spool and counts the replayed letters and the notices.
type offered struct {
	mu      sync.Mutex
	ids     map[string]int // replays by message id
	order   []string       // topics of the replayed letters
	notices int
	writes  int
	fail    func(write int) bool // reports whether a write fails; the first is 1
}

func (o *offered) put(ms []message.Message) (spool.Seq, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writes++; o.fail(o.writes) {
		return 0, errors.New("the spool is full")
	}
	for _, m := range ms {
		if !m.Replayed {
			o.notices++
			continue
		}
		o.ids[m.ID()]++
		o.order = append(o.order, m.Topic)
	}
	return spool.Seq(o.writes * 10_000), nil
}

func (o *offered) n() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.ids)
}

// opened opens the letters of a folder with an offered as their spool.
func opened(t *testing.T, dir string, fail func(write int) bool) (*Letters, *offered) {
	t.Helper()
	o := &offered{ids: map[string]int{}, fail: fail}
	return open(t, dir, 10_000, o.put), o
}

// TestARequestIsCarriedOutCompletely: also if the spool takes only some of the letters,
// and if the connector is killed before it takes the rest.
func TestARequestIsCarriedOutCompletely(t *testing.T) {
	const n = 2*replayCount + 50
	dir := t.TempDir()
	g, _ := opened(t, dir, func(int) bool { return false })
	for i := range n {
		if err := g.Add("f", &message.Message{Arrival: int64(i + 1), Topic: fmt.Sprint("house/", i)}, "no name yet"); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Add("other", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	g, o := opened(t, dir, func(write int) bool { return write > 1 })
	if err := g.Request(Request{Query: Query{Function: "f", Topic: "house/#"}}); err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() { g.carryOut(ctx); close(done) }()
	mqtttest.Until(t, "the first letters", func() bool { return o.n() == replayCount })
	kill()
	<-done

	before := o.ids
	g, o = opened(t, dir, func(write int) bool { return write == 2 })
	o.ids = before
	ctx, stop := context.WithCancel(t.Context())
	done = make(chan bool)
	go func() { g.carryOut(ctx); close(done) }()
	mqtttest.Until(t, "all of them", func() bool { return o.n() == n })
	mqtttest.Until(t, "no pending request", func() bool { return len(g.requested()) == 0 })
	stop()
	<-done
	for id, times := range o.ids {
		if times != 1 {
			t.Errorf("%s was replayed %d times, want once", id, times)
		}
	}
	if o.writes > 5 {
		t.Errorf("%d writes for %d letters", o.writes, n)
	}
	if g, _ = opened(t, dir, nil); len(g.requested()) != 0 {
		t.Errorf("%v is still pending after a restart", g.requested())
	}
}

func TestRequestsAreBounded(t *testing.T) {
	g, _ := opened(t, t.TempDir(), func(int) bool { return false })
	for i := range maxRequests + 2 {
		topic := fmt.Sprint("house/", i)
		g.letters[topic] = &Letter{ID: topic, Function: "f", Topic: topic}
		var want error
		if i >= maxRequests {
			want = errTooMany
		}
		if err := g.Request(Request{Query: Query{Function: "f", Topic: topic}}); !errors.Is(err, want) {
			t.Fatalf("request %d: %v, want %v", i, err, want)
		}
	}
	for i, r := range g.requested() {
		if r.Topic != fmt.Sprint("house/", i) {
			t.Errorf("pending request %d is %+v", i, r)
		}
	}
}

// TestARequestThatFailsBlocksNoOther: the others are carried out in the order in which
// they came.
func TestARequestThatFailsBlocksNoOther(t *testing.T) {
	const n = 40
	var g *Letters
	o := &offered{ids: map[string]int{}}
	o.fail = func(int) bool { return false }
	g = open(t, t.TempDir(), 10_000, func(ms []message.Message) (spool.Seq, error) {
		if ms[0].Replayed && ms[0].Only == "bad" {
			return 0, errors.New("the spool is full")
		}
		return o.put(ms)
	})
	g.retry = time.Hour
	for i := range n {
		if err := g.Add("f", &message.Message{Arrival: int64(i + 1), Topic: fmt.Sprint("house/", i)}, "no"); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Add("bad", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	ask := func(function, topic string) {
		t.Helper()
		if err := g.Request(Request{Query: Query{Function: function, Topic: topic}}); err != nil {
			t.Fatal(err)
		}
	}
	ask("bad", "house/x")
	for i := range n / 2 {
		ask("f", fmt.Sprint("house/", i))
	}
	go g.carryOut(t.Context())
	mqtttest.Until(t, "the requests behind the one that fails", func() bool { return o.n() == n/2 })
	for i := n / 2; i < n; i++ {
		ask("f", fmt.Sprint("house/", i))
	}
	mqtttest.Until(t, "the later requests", func() bool { return len(g.requested()) == 1 })
	for i, topic := range o.order {
		if topic != fmt.Sprint("house/", i) {
			t.Fatalf("replayed out of order: %v", o.order)
		}
	}
}

// TestALetterInFlightIsNotReplayedAgainAfterARestart: also if so many messages came
// since that Options.Replayed does not name it.
func TestALetterInFlightIsNotReplayedAgainAfterARestart(t *testing.T) {
	dir := t.TempDir()
	g, _ := opened(t, dir, func(int) bool { return false })
	if err := g.Add("f", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Replay{{Replayed: 1}, {OnTheWay: 1}, {OnTheWay: 1}} {
		if done, err := g.Replay(t.Context(), Query{All: true}); done != want || err != nil {
			t.Errorf("%+v, %v; want %+v", done, err, want)
		}
		g, _ = opened(t, dir, func(int) bool { return false })
	}
}

// TestALostReplayCanBeRepeated: the spool has dropped the record of the replay.
func TestALostReplayCanBeRepeated(t *testing.T) {
	g, o := opened(t, t.TempDir(), func(int) bool { return false })
	if err := g.Add("f", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	waits := true
	g.o.Pending = func(string, spool.Seq) bool { return waits }
	for _, want := range []Replay{{Replayed: 1}, {OnTheWay: 1}, {Replayed: 1}} {
		waits = want.OnTheWay > 0
		if done, err := g.Replay(t.Context(), Query{All: true}); done != want || err != nil {
			t.Errorf("%+v, %v; want %+v", done, err, want)
		}
	}
	if o.n() != 1 {
		t.Errorf("replays by id: %v, want one id", o.ids)
	}
}
