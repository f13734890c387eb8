package agent

import (
	"sync"
	"testing"
	"time"
)

// testClock is a machine's clock. The true time runs from truth; wall differs from it by
// off.
type testClock struct {
	kernel string
	begun  time.Time
	truth  time.Time // the true time at begun

	mu     sync.Mutex
	off    time.Duration
	synced bool
}

var startOfTest = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)

// in1970 returns the clock of a machine without a battery-backed clock.
func in1970(kernel string) *testClock {
	return &testClock{kernel: kernel, begun: time.Now(), truth: startOfTest, off: -startOfTest.Sub(time.Unix(0, 0))}
}

func (c *testClock) mono() time.Duration { return 90*time.Second + time.Since(c.begun) }

func (c *testClock) wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.truth.Add(time.Since(c.begun) + c.off)
}

func (c *testClock) set(off time.Duration, synced bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off, c.synced = off, synced
}

func (c *testClock) clock() clock {
	return clock{wall: c.wall, mono: c.mono, kernel: c.kernel, synced: func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.synced
	}}
}

func TestReadingsFrom1970GetTheirTrueTime(t *testing.T) {
	for name, steps := range map[string]func(*testClock){
		"one step by years":                 func(c *testClock) { c.set(0, true) },
		"a wrong step that is not trusted":  func(c *testClock) { c.set(-20*365*24*time.Hour, true) },
		"set by hand long before NTP comes": func(c *testClock) { c.set(300*time.Millisecond, false) },
	} {
		t.Run(name, func(t *testing.T) {
			c := in1970("k1")
			b := startBroker(t)
			s := startStore(t, b.direct, true)
			a := runAgent(t, with(sensors(2, 30*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{clock: c.clock()})
			waitFor(t, "held readings", func() bool { return a.backlog() > 20 })
			steps(c)
			waitFor(t, "more held readings", func() bool { return a.backlog() > 40 || s.count() > 0 })
			c.set(0, true)
			waitFor(t, "delivery of all readings", func() bool { return s.count() > 100 && a.backlog() == 0 })
			if err := a.stop(); err != nil {
				t.Fatal(err)
			}
			s.complete()
			s.times()
			trueTimes(t, c, s)
		})
	}
}

// trueTimes checks every reading's time. The simulated host counts its uptime
// from 3600 s at its making, which is that of its first reading.
func trueTimes(t *testing.T, c *testClock, s *store) {
	t.Helper()
	anchor := map[string]time.Duration{} // time less uptime, by device
	for _, r := range s.ordered() {
		at, err := time.Parse(time.RFC3339Nano, r.Time)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		if off := at.Sub(c.truth); off < 0 || off > time.Since(c.begun) {
			t.Fatalf("%d of %s: %v is not within the test", r.Seq, r.Device, at)
		}
		up := time.Duration(r.Fields["uptime_seconds"] * float64(time.Second))
		d := at.Sub(c.truth) - up
		if _, ok := anchor[r.Device]; !ok {
			anchor[r.Device] = d
		}
		if off := (d - anchor[r.Device]).Abs(); off > time.Second {
			t.Errorf("%d of %s is off by %v", r.Seq, r.Device, off)
		}
	}
}

func TestReadingsFrom1970WithoutABrokerGetTheirTrueTime(t *testing.T) {
	c := in1970("k1")
	b := startBroker(t)
	b.stop()
	a := runAgent(t, with(sensors(2, 20*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{clock: c.clock()})
	waitFor(t, "held readings", func() bool { return a.backlog() > 50 })
	b.start()
	s := startStore(t, b.direct, true)
	waitFor(t, "connection", func() bool { return a.delivery.monitor.snapshot().connected })
	if n := s.count(); n != 0 {
		t.Errorf("%d readings came without a clock", n)
	}
	c.set(0, true)
	waitFor(t, "delivery of all readings", func() bool { return s.count() > 100 && a.backlog() == 0 })
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	s.complete()
	s.times()
	trueTimes(t, c, s)
}

func TestARestartBeforeTheClockIsSetLosesNoTime(t *testing.T) {
	c := in1970("k1")
	b := startBroker(t)
	b.stop()
	set := with(sensors(1, 20*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr, "SPOOL_DIR": t.TempDir()})
	first := runAgent(t, set, Deps{clock: c.clock()})
	waitFor(t, "held readings", func() bool { return first.backlog() > 20 })
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	b.start()
	s := startStore(t, b.direct, true)
	c.set(0, true)
	second := runAgent(t, set, Deps{clock: c.clock()})
	waitFor(t, "readings of both runs", func() bool {
		return s.countOf(first.boot) == int(first.delivery.numbers.seq) && s.countOf(second.boot) > 5
	})
	if err := second.stop(); err != nil {
		t.Fatal(err)
	}
	s.complete()
	for _, r := range s.ordered() {
		if r.Quality == clockUnsynced || r.Time == "" {
			t.Fatalf("got %+v", r)
		}
	}
}

func TestReadingsOfABootWithoutATimeAreMarkedUnsynced(t *testing.T) {
	c := in1970("k1")
	b := startBroker(t)
	set := with(sensors(1, 20*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr, "SPOOL_DIR": t.TempDir()})
	s := startStore(t, b.direct, true)
	first := runAgent(t, set, Deps{clock: c.clock()})
	waitFor(t, "held readings", func() bool { return first.backlog() > 20 })
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	again := in1970("k2")
	again.set(0, true)
	second := runAgent(t, set, Deps{clock: again.clock()})
	waitFor(t, "readings of both runs", func() bool {
		return s.countOf(first.boot) == int(first.delivery.numbers.seq) && s.countOf(second.boot) > 5 && second.backlog() == 0
	})
	if err := second.stop(); err != nil {
		t.Fatal(err)
	}
	for k, times := range s.all() {
		marked := times[0].Quality == clockUnsynced && times[0].Time == ""
		// A reading that is sent again is stored once, by its number.
		if marked != (k.Boot == first.boot) {
			t.Fatalf("%v came %d times: %+v", k, len(times), times[0])
		}
	}
}

func TestReadingsWaitForTheClockNoLongerThanClockHold(t *testing.T) {
	c := in1970("k1")
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	a := runAgent(t, with(sensors(1, 30*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr, "CLOCK_HOLD": "2s"}), Deps{clock: c.clock()})
	waitFor(t, "held readings", func() bool { return a.backlog() > 10 })
	waitFor(t, "readings without a time", func() bool { return s.count() > 100 && a.backlog() == 0 })
	for _, r := range s.ordered() {
		if r.Quality != clockUnsynced || r.Time != "" {
			t.Fatalf("got %+v", r)
		}
	}
	c.set(0, true)
	waitFor(t, "readings with a time", func() bool {
		rs := s.ordered()
		return rs[len(rs)-1].Time != "" && rs[len(rs)-1].Quality == "ok"
	})
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	s.complete()
}

func TestAClockThatLosesItsServerIsStillTrusted(t *testing.T) {
	c := in1970("k1")
	c.set(0, true)
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	runAgent(t, with(sensors(1, 20*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{clock: c.clock()})
	waitFor(t, "readings", func() bool { return s.count() > 10 })
	c.set(0, false)
	n := s.count()
	waitFor(t, "more readings", func() bool { return s.count() > n+30 })
	for _, r := range s.ordered() {
		if r.Time == "" {
			t.Fatalf("got %+v", r)
		}
	}
}

func TestTimesOfADeviceRise(t *testing.T) {
	r := increasing{}
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		in, want time.Duration
	}{
		{0, 0},
		{0, time.Millisecond}, // the same
		{-300 * time.Millisecond, 2 * time.Millisecond}, // slewed back a little
		{time.Second, time.Second},
		{-time.Hour, -time.Hour}, // set back: taken as it is
		{-time.Hour + 400*time.Microsecond, -time.Hour + time.Millisecond},
	} {
		if got := r.next("a", at.Add(tt.in)); !got.Equal(at.Add(tt.want)) {
			t.Errorf("%v gave %v, want %v", tt.in, got.Sub(at), tt.want)
		}
	}
	if got := r.next("b", at); !got.Equal(at) {
		t.Error("the time of one device changed that of another")
	}
}
