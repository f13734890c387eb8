package window

import (
	"fmt"
	"testing"
	"time"
)

func TestAfterABreakTheLastReadingIsSentAgain(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	w.Stored("a", 0, time.Second)
	w.Add(Key{"a", 1}, 1, 1)
	w.Acked(w.Next(2*time.Second, true).Key, 2*time.Second)
	w.Broken()
	w.Connected(3 * time.Second) // the broker may have forgotten it, and nobody will ever say so
	w.Tick(30 * time.Second)
	if w.Next(30*time.Second, true) != nil {
		t.Error("it was not given time")
	}
	w.Tick(64 * time.Second)
	if w.Next(64*time.Second, true) == nil {
		t.Error("it was not sent again")
	}
}

func TestAConnectorThatIsAwayIsNotFlooded(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	w.Stored("a", 0, time.Second)
	for i := range 100 {
		w.Add(Key{"a", uint64(i + 1)}, i, 1)
		e := w.Next(time.Second, true)
		w.Acked(e.Key, time.Second)
	}
	for now := time.Second; now < limits.Keep; now += time.Minute {
		w.Tick(now)
	}
	if got := w.Stats().Resent; got != 0 {
		t.Errorf("%d were sent again although nobody is there to take them", got)
	}
	w.Stored("a", 0, limits.Keep)
	w.Tick(limits.Keep)
	if got := w.Stats().Resent; got != 100 {
		t.Errorf("%d were sent again when the connector came back without them, want 100", got)
	}
}

func TestWhatIsMissingOnDiskIsNoReasonToSendTheRest(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	for i := range 10 {
		w.Add(Key{"a", uint64(i + 50)}, i, 1) // 1 to 49 wait on disk, or were dropped
		w.Acked(w.Next(time.Second, true).Key, time.Second)
	}
	for now := time.Second; now < 5*time.Minute; now += time.Second {
		w.Stored("a", 0, now)
		w.Tick(now)
	}
	if got := w.Stats().Resent; got != 0 {
		t.Errorf("%d were sent again", got)
	}
}

func TestOfThreeThatGoOutOneIsOfTheBacklog(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	for i := range 300 {
		w.AddBacklog(uint64(i+1), Key{"old", uint64(i + 1)}, i, 1)
	}
	live, seq := 0, uint64(0)
	for n := range 300 {
		for range 5 { // more than can be sent
			seq++
			w.Add(Key{"new", seq}, int(seq), 1)
		}
		if e := w.Next(time.Second, true); e.Boot == "new" {
			live++
		}
		if backlog := n + 1 - live; backlog < (n+1)/3 || live < (n+1)*2/3 {
			t.Fatalf("of %d published, %d are live and %d of the backlog", n+1, live, backlog)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	l := limits
	l.Bytes = 1000
	w := New[int](l)
	w.Stored("a", 0, 1)
	for i := range 500 {
		w.Add(Key{"a", uint64(i + 1)}, i, 100)
		if i < 250 {
			w.Acked(w.Next(1, false).Key, 1)
		}
		if _, _, bytes := w.Len(); bytes > 1000 {
			t.Fatalf("%d bytes", bytes)
		}
	}
	if s := w.Stats(); s.Unconfirmed != 250 || s.Dropped != 240 {
		t.Errorf("got %+v, want 250 that the broker has and 240 that it has not", s)
	}
}

func TestAPlaceDoesNotFreeWhatTheBrokerHasNotAcknowledged(t *testing.T) {
	w := New[int](limits)
	w.Add(Key{"a", 1}, 1, 1)
	w.Next(1, false)
	w.Stored("a", 5, 2) // another reading's hole was given up
	if live, _, _ := w.Len(); live != 1 {
		t.Fatal("it left")
	}
	w.Acked(Key{"a", 1}, 3)
	if live, _, _ := w.Len(); live != 0 {
		t.Fatal("it stays")
	}
}

func TestABacklogOfAnEarlierRunLeavesWithoutAPlaceOfItsOwn(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	w.Stored("new", 1, time.Second)
	defer func() { // one of its own that came too early to tell is no hindrance
		w.AddBacklog(6, Key{"old", 6}, 6, 1)
		w.Acked(w.Next(6*time.Minute, true).Key, 6*time.Minute)
		w.Stored("old", 5, 6*time.Minute+time.Second)
		w.Stored("new", 3, 8*time.Minute)
		if w.Done() != 6 {
			t.Errorf("done up to %d, want 6", w.Done())
		}
	}()
	for i := range 5 {
		w.AddBacklog(uint64(i+1), Key{"old", uint64(i + 1)}, i, 1)
		w.Acked(w.Next(time.Second, true).Key, time.Second)
	}
	w.Tick(30 * time.Second)
	if w.Done() != 0 {
		t.Fatal("left before anybody could have stored it")
	}
	w.Tick(5 * time.Minute)
	if w.Done() != 0 {
		t.Fatal("left although nobody has been heard since")
	}
	// One is sent again, so that somebody has something to answer.
	e := w.Next(5*time.Minute, true)
	if e == nil || e.Key != (Key{"old", 1}) || w.Next(5*time.Minute, true) != nil {
		t.Fatalf("sent again: %+v, want the first alone", e)
	}
	w.Acked(e.Key, 5*time.Minute)
	w.Stored("new", 2, 10*time.Minute)
	if w.Done() != 5 {
		t.Errorf("done up to %d, want 5", w.Done())
	}
}

func TestWhatTheCapDroppedDoesNotHoldUpTheBacklog(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	for i := range 5 {
		w.AddBacklog(uint64(i+1), Key{"a", uint64(i + 50)}, i, 1) // 1 to 49 were dropped
		w.Acked(w.Next(time.Second, true).Key, time.Second)
	}
	for now := time.Second; now <= 2*time.Minute; now += time.Second {
		w.Stored("a", 0, now)
		w.Tick(now)
	}
	if w.Done() != 5 {
		t.Errorf("done up to %d, want 5", w.Done())
	}
}

func ExampleWindow() {
	w := New[string](Limits{Keep: time.Minute, Bytes: 1 << 20, Resend: time.Second})
	w.Add(Key{"9f3c2a1b", 1}, "a reading", 9)
	e := w.Next(1, false)
	w.Acked(e.Key, 2)          // the broker has it
	w.Stored("9f3c2a1b", 1, 3) // the store has it
	live, _, _ := w.Len()
	fmt.Println(e.Item, live, w.Stats().Confirmed)
	// Output: a reading 0 1
}
