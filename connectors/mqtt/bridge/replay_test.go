package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

// offered counts the letters that came into the spool.
type offered struct {
	mu     sync.Mutex
	ids    map[string]int
	writes int
	fail   func(write int) bool
}

func (o *offered) put(_ context.Context, ms ...Message) (spool.Seq, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writes++; o.fail(o.writes) {
		return 0, errors.New("the spool is full")
	}
	for _, m := range ms {
		if m.Replayed {
			o.ids[m.ID()]++
		}
	}
	return spool.Seq(o.writes * 10_000), nil
}

func (o *offered) n() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.ids)
}

func opened(t *testing.T, dir string, fail func(write int) bool) (*graveyard, *offered) {
	t.Helper()
	g, err := openGraveyard(dir, 10_000, time.Now, func(s string, n int) string { return s[:min(len(s), n)] })
	if err != nil {
		t.Fatal(err)
	}
	o := &offered{ids: map[string]int{}, fail: fail}
	g.news = o.put
	return g, o
}

// TestAWishIsGrantedWhole: also where the spool takes half of the letters, and
// where the connector is killed before it takes the rest.
func TestAWishIsGrantedWhole(t *testing.T) {
	const n = 2*replayCount + 50
	dir := t.TempDir()
	g, _ := opened(t, dir, func(int) bool { return false })
	for i := range n {
		if err := g.add("f", &Message{Arrival: int64(i + 1), Topic: fmt.Sprint("house/", i)}, "no name yet"); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.add("other", &Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	g, o := opened(t, dir, func(write int) bool { return write > 1 })
	if err := g.wish(Query{Function: "f", Topic: "house/#"}); err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() { g.grant(ctx, slog.New(slog.DiscardHandler)); close(done) }()
	until(t, "the first letters", func() bool { return o.n() == replayCount })
	kill()
	<-done

	g, o = opened(t, dir, func(write int) bool { return write == 2 })
	ctx, stop := context.WithCancel(t.Context())
	done = make(chan bool)
	go func() { g.grant(ctx, slog.New(slog.DiscardHandler)); close(done) }()
	until(t, "all of them", func() bool { return o.n() == n })
	until(t, "no wish", func() bool { return len(g.wanted()) == 0 })
	stop()
	<-done
	for id, times := range o.ids {
		if times != 1 {
			t.Errorf("%s was put into the spool %d times", id, times)
		}
	}
	if o.writes > 5 {
		t.Errorf("%d writes for %d letters", o.writes, n)
	}
	if g, _ = opened(t, dir, nil); len(g.wanted()) != 0 {
		t.Errorf("%v is wished for ever", g.wanted())
	}
}

func TestWishesAreBounded(t *testing.T) {
	g, _ := opened(t, t.TempDir(), func(int) bool { return false })
	for i := range 2 * maxWishes {
		topic := fmt.Sprint("house/", i)
		g.letters[topic] = &DeadLetter{ID: topic, Function: "f", Topic: topic}
		if err := g.wish(Query{Function: "f", Topic: topic}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.wanted()); n > maxWishes+1 {
		t.Errorf("%d wishes, want %d and one for all of the function", n, maxWishes)
	}
	if g.wanted()[Query{Function: "f"}] == 0 {
		t.Error("what is over is forgotten")
	}
}

// TestALetterIsOnTheWayOnce: replayed again while the function has not answered,
// and again after a restart, there is one copy of it. It comes once more if the
// function, which may have changed meanwhile, refuses that.
func TestALetterIsOnTheWayOnce(t *testing.T) {
	g := newFaas(t)
	dir := t.TempDir()
	var code atomic.Int64
	var got tally
	code.Store(400)
	g.deploy("f", batched, func(c calledWith) (int, string) {
		if code.Load() == 200 {
			got.add(c.IDs...)
		}
		return int(code.Load()), ""
	})
	b, stop := start(t, g, dir)
	listening(t, b, "f")
	b.give("house/x", numbered(20)...)
	until(t, "20 letters", func() bool { n, _ := b.dead.counts(); return n == 20 })
	code.Store(503)
	replay := func(want Replay) {
		t.Helper()
		if done, err := b.dead.replay(t.Context(), Query{Function: "f"}); done != want || err != nil {
			t.Errorf("%+v, %v; want %+v", done, err, want)
		}
	}
	replay(Replay{Replayed: 20})
	replay(Replay{OnTheWay: 20})
	stop()
	b, _ = start(t, g, dir)
	replay(Replay{OnTheWay: 20})
	code.Store(400)
	until(t, "refused, and once more", func() bool {
		return len(b.dead.list(Query{Reason: "400"})) == 20 && b.dead.list(Query{})[19].Count == 3
	})
	until(t, "all of them through", func() bool { return !b.waits("f", b.spool.Next()-1) })
	code.Store(503)
	replay(Replay{Replayed: 20})
	code.Store(200)
	until(t, "no letter", func() bool { n, _ := b.dead.counts(); return n == 0 })
	for id, n := range got.seen {
		if n != 1 {
			t.Errorf("%s was stored %d times", id, n)
		}
	}
}

// TestALostReplayCanBeRepeated: what was on the way went with the spool's oldest.
func TestALostReplayCanBeRepeated(t *testing.T) {
	g, o := opened(t, t.TempDir(), func(int) bool { return false })
	if err := g.add("f", &Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	waits := true
	g.waits = func(string, spool.Seq) bool { return waits }
	for _, want := range []Replay{{Replayed: 1}, {OnTheWay: 1}, {Replayed: 1}} {
		waits = want.OnTheWay > 0
		if done, err := g.replay(t.Context(), Query{}); done != want || err != nil {
			t.Errorf("%+v, %v; want %+v", done, err, want)
		}
	}
	if o.n() != 1 {
		t.Errorf("%v", o.ids)
	}
}
