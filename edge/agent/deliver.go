package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	idleTick   = time.Second
	busyTick   = 25 * time.Millisecond // while there is a backlog
	grace      = time.Second           // a break that is shorter does not touch the disk
	stallAfter = 10 * time.Second      // without an acknowledgement the broker is as good as gone
	flights    = 500                   // publications under way at once
	lastWait   = 2 * time.Second       // for what was published last to be stored
)

var errStalled = errors.New("the broker does not acknowledge")

// delivery is what one goroutine, that of deliver, knows and nobody else touches.
type delivery struct {
	window *window.Window[*record]
	cal    *calendar
	live   rising
	last   map[string]time.Duration // moment of the last reading, by device
	seq    uint64

	session *session
	since   time.Duration // of the session, or of its end

	spool    *spool.Log
	reader   *spool.Reader
	pos      spool.Seq       // handed out by reader
	placed   bool            // pos is known
	unread   []spool.Record  // read, but not yet to be sent
	sentTo   spool.Seq       // the last of them in the window
	boots    map[string]bool // that were read since the reader was opened
	pending  []*record       // to go to the spool
	bytes    int             // of pending
	retryAt  time.Duration   // when the disk is tried again
	saidFull bool

	tokens float64       // what of the backlog may be sent now
	ticked time.Duration // the last tick
	waited time.Duration // for the clock, while we could have sent
	gaveUp bool          // waited too long
	beaten time.Duration // systemd's watchdog
}

// now never steps. It begins at a second: zero means never.
func (a *Agent) now() time.Duration { return time.Since(a.begun) + time.Second }

// deliver is the agent's only loop: every reading goes through here, one by one.
func (a *Agent) deliver(ctx context.Context) {
	a.since, a.ticked = a.now(), a.now()
	tick := time.NewTimer(0)
	defer tick.Stop()
	for ctx.Err() == nil {
		a.step(ctx.Done(), tick)
	}
}

// deliverUntil goes on while the sensors end, then takes what they left.
func (a *Agent) deliverUntil(sensors *sync.WaitGroup, patience time.Duration) {
	done := make(chan struct{})
	go func() { sensors.Wait(); close(done) }()
	tick, end := time.NewTimer(0), time.NewTimer(patience)
	defer tick.Stop()
	defer end.Stop()
	for {
		select {
		case <-done:
		case <-end.C:
			a.log.Warn("a sensor does not end")
		default:
			a.step(done, tick)
			continue
		}
		break
	}
	for {
		select {
		case s := <-a.samples:
			a.take(s)
		default:
			return
		}
	}
}

// step waits for one thing to happen, and does what follows from it.
func (a *Agent) step(stop <-chan struct{}, tick *time.Timer) {
	select {
	case s := <-a.samples:
		a.take(s)
	case l := <-a.links:
		a.linked(l)
	case k := <-a.acks:
		a.acked(k)
	case p := <-a.places:
		a.window.Stored(p.Boot, p.Seq, a.now())
	case <-tick.C:
		a.tick()
		tick.Reset(a.pause())
	case <-stop:
		return
	}
	a.pump()
	a.commit()
}

func (a *Agent) pause() time.Duration {
	if a.session != nil && a.behind() {
		return busyTick
	}
	return idleTick
}

// take numbers a sample and sends it on its way.
func (a *Agent) take(t taken) {
	a.seq++
	if last, ok := a.last[t.set.Device]; ok {
		t.mono = max(t.mono, last+time.Millisecond)
	}
	a.last[t.set.Device] = t.mono
	r := &record{Node: a.cfg.Node, Reading: Reading{
		Device: t.set.Device, Sensor: t.set.Kind.Name, Measurement: t.set.Kind.Measurement(), Boot: a.boot, Seq: a.seq,
		Fields: t.sample.Fields, Text: t.sample.Text, Quality: string(t.sample.Quality), Reason: t.sample.Reason, Sample: a.machine.Simulated,
	}}
	if a.cal.ok() {
		at := a.cal.now().Add(t.mono - a.clock.Mono())
		r.Time = a.live.next(r.Device, at).Format(timeLayout)
	} else {
		r.Held = &moment{a.clock.Kernel, t.mono}
	}
	near := a.session != nil || a.now()-a.since < grace
	switch {
	case r.Held == nil && near:
		a.window.Add(r.key(), r, r.size())
	case r.Held != nil && a.gaveUp && near:
		r.unsynced()
		a.window.Add(r.key(), r, r.size())
	default:
		if !near {
			a.takeIn() // what is older goes first
		}
		a.keep(r)
	}
}

func (a *Agent) linked(l link) {
	now := a.now()
	a.since = now
	if l.up {
		a.session = l.session
		a.window.Connected(now)
		return
	}
	a.session = nil
	a.window.Broken()
	a.rewind()
}

func (a *Agent) acked(k ack) {
	switch {
	case k.from != a.session || a.session == nil:
	case k.err != nil:
		a.session.drop(k.err)
	default:
		a.window.Acked(k.key, a.now())
	}
}

// tick does what time alone brings about.
func (a *Agent) tick() {
	now := a.now()
	passed := now - a.ticked
	a.ticked = now
	a.tokens = min(a.tokens+passed.Seconds()*float64(a.cfg.Rate), max(float64(a.cfg.Rate)/10, 1))
	ok := a.cal.ok()
	if a.clockOK.Swap(ok) != ok {
		a.log.Info("the clock is set", "time", a.cal.now().UTC())
	}
	if a.session != nil && !ok {
		if a.waited += passed; a.waited >= a.cfg.Hold && !a.gaveUp {
			a.gaveUp = true
			a.log.Warn("the clock is still not set; readings go out without their time", "after", a.cfg.Hold)
		}
	}
	a.window.Tick(now)
	switch {
	case a.session != nil && a.window.Stalled(now) > stallAfter:
		a.session.drop(errStalled)
	case a.session == nil && now-a.since >= grace:
		a.takeIn()
	}
	if len(a.pending) > 0 && now >= a.retryAt {
		a.flush()
	}
	a.show()
	a.watchdog(now)
}

// pump publishes what may be published.
func (a *Agent) pump() {
	if a.session == nil {
		return
	}
	a.readBacklog()
	for a.session != nil && a.window.InFlight() < flights {
		e := a.window.Next(a.now(), true)
		if e == nil {
			return
		}
		payload, err := e.Item.payload()
		if err != nil {
			a.log.Error("a reading cannot be written as JSON", "device", e.Item.Device, "err", err)
			a.window.Acked(e.Key, a.now())
			continue
		}
		a.session.publish(a, e.Item.topic(), e.Key, payload)
	}
}

// finish keeps what is not safe, and ends the connection and the spool.
func (a *Agent) finish() error {
	s := a.session
	tick := time.NewTimer(0)
	defer tick.Stop()
	end := make(chan struct{})
	time.AfterFunc(lastWait, func() { close(end) })
	for a.session != nil && a.unsafe() {
		a.step(end, tick)
		select {
		case <-end:
		default:
			continue
		}
		break
	}
	if s != nil && s == a.session {
		s.farewell(a)
	}
	a.takeIn()
	a.flush()
	err := a.closeSpool()
	if n := len(a.pending); n > 0 {
		a.lose(n)
		err = errors.Join(err, errors.New("readings were lost: they could neither be published nor kept"))
	}
	a.show()
	return err
}

// unsafe reports a live reading that is in memory alone.
func (a *Agent) unsafe() bool {
	live, _, _ := a.window.Len()
	if a.window.Known() {
		return live > 0
	}
	return a.window.InFlight() > 0 || a.window.Live() > 0
}
