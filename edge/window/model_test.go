package window

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is a window, used as the agent uses it, with a broker that may lose messages,
// a connector that may be down, and a disk.
type model struct {
	t          *rapid.T
	w          *Window[uint64]
	now        time.Duration
	boot       string
	seq        uint64
	up         bool
	answers    bool // the connector publishes stored messages
	inFlight   []Key
	broker     []Key // acknowledged, not yet taken by the connector
	snapshot   []Key
	stored     map[Key]int
	storedUpTo map[string]uint64
	disk       []Key // not committed; position on disk is base + index + 1
	base       uint64
	read       uint64 // position up to which the disk is in the window
}

var limits = Limits{Keep: 10 * time.Hour, Bytes: 1 << 30, Resend: time.Minute}

func newModel(t *rapid.T) *model {
	return &model{
		t: t, w: New[uint64](limits), now: time.Second, boot: "a", stored: map[Key]int{}, storedUpTo: map[string]uint64{},
		answers: rapid.Bool().Draw(t, "answers"),
	}
}

// reading takes a reading; while disconnected it goes to disk.
func (x *model) reading() {
	x.seq++
	k := Key{x.boot, x.seq}
	if x.up {
		x.w.Add(k, x.seq, 1)
	} else {
		x.disk = append(x.disk, k)
	}
}

func (x *model) connect() {
	if !x.up {
		x.up = true
		x.w.Connected(x.now)
	}
}

// lose ends the connection. A short loss reconnects at once; a longer one moves the
// live entries to disk.
func (x *model) lose(short bool) {
	if x.up {
		x.up = false
		x.inFlight = nil
		x.w.Disconnected()
		x.read = x.base
	}
	if short {
		x.connect()
		return
	}
	for _, e := range x.w.TakeLive() {
		x.disk = append(x.disk, e.Key)
	}
}

// crash kills the broker, which restarts from its last snapshot.
func (x *model) crash(short bool) {
	x.broker = append([]Key(nil), x.snapshot...)
	x.lose(short)
}

func (x *model) pump() {
	if !x.up {
		return
	}
	for x.read < x.base+uint64(len(x.disk)) {
		k := x.disk[x.read-x.base]
		x.read++
		x.w.AddBacklog(x.read, k, k.Seq, 1)
	}
	for e := x.w.Next(x.now, true); e != nil; e = x.w.Next(x.now, true) {
		x.inFlight = append(x.inFlight, e.Key)
	}
	x.commit()
}

func (x *model) commit() {
	for x.base < x.w.BacklogDone() {
		k := x.disk[0]
		if x.stored[k] == 0 && !x.inBroker(k) {
			x.t.Fatalf("%v was deleted from disk, but neither broker nor store has it", k)
		}
		x.disk, x.base = x.disk[1:], x.base+1
	}
}

func (x *model) inBroker(k Key) bool {
	for _, b := range x.broker {
		if b == k {
			return true
		}
	}
	return false
}

// ack lets the broker acknowledge n publications.
func (x *model) ack(n int) {
	for range min(n, len(x.inFlight)) {
		k := x.inFlight[0]
		x.inFlight = x.inFlight[1:]
		x.broker = append(x.broker, k)
		x.w.Acked(k, x.now)
	}
	x.commit()
}

// take lets the connector store n messages and, if it answers, publish a stored message.
func (x *model) take(n int) {
	boot := ""
	for range min(n, len(x.broker)) {
		k := x.broker[0]
		x.broker = x.broker[1:]
		x.stored[k]++
		for x.stored[Key{k.Boot, x.storedUpTo[k.Boot] + 1}] > 0 {
			x.storedUpTo[k.Boot]++
		}
		boot = k.Boot
	}
	if boot != "" && x.answers && x.up {
		x.w.Stored(boot, x.storedUpTo[boot], x.now)
	}
	x.commit()
}

func (x *model) pass(d time.Duration) {
	x.now += d
	x.w.Tick(x.now)
	x.commit()
}

// heal lets every part work until all readings are stored.
func (x *model) heal() {
	x.connect()
	for range 30 {
		x.pump()
		x.ack(1 << 30)
		x.take(1 << 30)
		x.reading() // a new reading brings about a stored message
		x.pass(20 * time.Second)
	}
	x.pump()
	x.ack(1 << 30)
	x.take(1 << 30)
	x.pass(limits.Keep + limits.Resend)
}

// With a connector every published reading is stored, whatever the broker loses:
// window and disk keep a reading until it is stored.
func TestEveryReadingIsStoredWhateverTheBrokerLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newModel(t)
		x.answers = true
		x.connect()
		x.reading() // its stored message shows the agent that a connector exists
		x.pump()
		x.ack(1)
		x.take(1)
		t.Repeat(map[string]func(*rapid.T){
			"reading":  func(t *rapid.T) { x.reading() },
			"pump":     func(t *rapid.T) { x.pump() },
			"ack":      func(t *rapid.T) { x.ack(rapid.IntRange(1, 5).Draw(t, "n")) },
			"take":     func(t *rapid.T) { x.take(rapid.IntRange(1, 5).Draw(t, "n")) },
			"snapshot": func(t *rapid.T) { x.snapshot = append([]Key(nil), x.broker...) },
			"crash":    func(t *rapid.T) { x.crash(rapid.Bool().Draw(t, "short")) },
			"lose":     func(t *rapid.T) { x.lose(rapid.Bool().Draw(t, "short")) },
			"connect":  func(t *rapid.T) { x.connect() },
			"time":     func(t *rapid.T) { x.pass(time.Duration(rapid.IntRange(1, 40).Draw(t, "s")) * time.Second) },
		})
		x.heal()
		for seq := uint64(1); seq <= x.seq; seq++ {
			if k := (Key{x.boot, seq}); x.stored[k] == 0 {
				t.Fatalf("%v was not stored", k)
			}
		}
		if live, backlog, bytes := x.w.Len(); live+backlog+bytes+len(x.disk)+x.w.InFlight() != 0 {
			t.Fatalf("not removed: %d live, %d backlog, %d bytes, %d on disk, %d in flight", live, backlog, bytes, len(x.disk), x.w.InFlight())
		}
	})
}

// Without a connector the broker's acknowledgement is final. A broker that loses
// nothing gets every reading.
func TestWithoutAConnectorTheBrokerGetsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newModel(t)
		x.answers = false
		t.Repeat(map[string]func(*rapid.T){
			"reading": func(t *rapid.T) { x.reading() },
			"pump":    func(t *rapid.T) { x.pump() },
			"ack":     func(t *rapid.T) { x.ack(rapid.IntRange(1, 5).Draw(t, "n")) },
			"lose":    func(t *rapid.T) { x.lose(rapid.Bool().Draw(t, "short")) },
			"connect": func(t *rapid.T) { x.connect() },
			"time":    func(t *rapid.T) { x.pass(time.Duration(rapid.IntRange(1, 90).Draw(t, "s")) * time.Second) },
		})
		sent := x.w.Stats().Sent
		x.heal()
		if sent > 0 && x.w.Stats().Resent != 0 {
			t.Fatalf("%d readings were sent again, want none", x.w.Stats().Resent)
		}
		for seq := uint64(1); seq <= x.seq; seq++ {
			if k := (Key{x.boot, seq}); x.stored[k] == 0 {
				t.Fatalf("%v did not reach the broker", k)
			}
		}
	})
}
