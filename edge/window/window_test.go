package window

import (
	"fmt"
	"testing"
	"time"
)

func TestTheLastReadingIsSentAgainAfterAReconnect(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	w.Stored("a", 0, time.Second)
	w.Add(Key{"a", 1}, 1, 1)
	w.Acked(w.Next(2*time.Second, true).Key, 2*time.Second)
	w.Disconnected()
	w.Connected(3 * time.Second) // the broker may have lost the reading; no later reading shows the gap
	w.Tick(30 * time.Second)
	if w.Next(30*time.Second, true) != nil {
		t.Error("the reading was sent again before Resend had passed")
	}
	w.Tick(64 * time.Second)
	if w.Next(64*time.Second, true) == nil {
		t.Error("the reading was not sent again")
	}
}

func TestNothingIsSentAgainWhileTheConnectorIsDown(t *testing.T) {
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
		t.Errorf("%d readings were sent again while no connector was there to store them", got)
	}
	w.Stored("a", 0, limits.Keep)
	w.Tick(limits.Keep)
	if got := w.Stats().Resent; got != 100 {
		t.Errorf("%d readings were sent again when the connector returned without them, want 100", got)
	}
}

func TestAGapOfReadingsOnDiskResendsNothing(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	for i := range 10 {
		w.Add(Key{"a", uint64(i + 50)}, i, 1) // readings 1 to 49 are on disk, or were dropped
		w.Acked(w.Next(time.Second, true).Key, time.Second)
	}
	for now := time.Second; now < 5*time.Minute; now += time.Second {
		w.Stored("a", 0, now)
		w.Tick(now)
	}
	if got := w.Stats().Resent; got != 0 {
		t.Errorf("%d readings were sent again, want none", got)
	}
}

func TestEveryThirdReadingIsFromTheBacklog(t *testing.T) {
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
			t.Fatalf("of %d readings published, %d are live and %d from the backlog", n+1, live, backlog)
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
			t.Fatalf("%d bytes are in the window, want at most 1000", bytes)
		}
	}
	if s := w.Stats(); s.Unconfirmed != 250 || s.Dropped != 240 {
		t.Errorf("got %+v, want 250 that the broker acknowledged (unconfirmed) and 240 that it did not (dropped)", s)
	}
}

func TestAStoredMessageRemovesNoUnacknowledgedReading(t *testing.T) {
	w := New[int](limits)
	w.Add(Key{"a", 1}, 1, 1)
	w.Next(1, false)
	w.Stored("a", 5, 2) // the connector gave up the gap that reading 1 leaves
	if live, _, _ := w.Len(); live != 1 {
		t.Fatal("the reading was removed")
	}
	w.Acked(Key{"a", 1}, 3)
	if live, _, _ := w.Len(); live != 0 {
		t.Fatal("the reading was not removed after the acknowledgement")
	}
}

func TestABacklogOfAnEarlierBootNeedsNoStoredMessageOfItsOwn(t *testing.T) {
	w := New[int](limits)
	w.Connected(time.Second)
	w.Stored("new", 1, time.Second)
	defer func() { // a stored message of its own boot that came too early does not hold it up
		w.AddBacklog(6, Key{"old", 6}, 6, 1)
		w.Acked(w.Next(6*time.Minute, true).Key, 6*time.Minute)
		w.Stored("old", 5, 6*time.Minute+time.Second)
		w.Stored("new", 3, 8*time.Minute)
		if w.BacklogDone() != 6 {
			t.Errorf("the backlog is done up to position %d, want 6", w.BacklogDone())
		}
	}()
	for i := range 5 {
		w.AddBacklog(uint64(i+1), Key{"old", uint64(i + 1)}, i, 1)
		w.Acked(w.Next(time.Second, true).Key, time.Second)
	}
	w.Tick(30 * time.Second)
	if w.BacklogDone() != 0 {
		t.Fatal("the backlog was removed before Resend had passed")
	}
	w.Tick(5 * time.Minute)
	if w.BacklogDone() != 0 {
		t.Fatal("the backlog was removed although no stored message came since")
	}
	// One reading is sent again, so that the connector answers with a stored message.
	e := w.Next(5*time.Minute, true)
	if e == nil || e.Key != (Key{"old", 1}) || w.Next(5*time.Minute, true) != nil {
		t.Fatalf("sent again: %+v, want the first alone", e)
	}
	w.Acked(e.Key, 5*time.Minute)
	w.Stored("new", 2, 10*time.Minute)
	if w.BacklogDone() != 5 {
		t.Errorf("the backlog is done up to position %d, want 5", w.BacklogDone())
	}
}

func TestReadingsDroppedAtTheCapDoNotHoldUpTheBacklog(t *testing.T) {
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
	if w.BacklogDone() != 5 {
		t.Errorf("the backlog is done up to position %d, want 5", w.BacklogDone())
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
