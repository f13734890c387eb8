package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	idleTick   = time.Second
	busyTick   = 25 * time.Millisecond // while there is a backlog
	grace      = time.Second           // a break that is shorter does not touch the disk
	stallAfter = 10 * time.Second      // without an acknowledgement the broker is as good as gone
	flights    = 500                   // publications under way at once
	ahead      = 2000                  // readings of the backlog in memory
	lastWait   = 4 * time.Second       // for what was published last to be stored, and for the connector to say so, within 2 s of it
)

var errStalled = errors.New("the broker does not acknowledge")

// delivery takes every reading from its sensor to the broker or the backlog, in one
// goroutine. What it holds nobody else touches.
type delivery struct {
	up       uptime
	samples  <-chan taken
	links    <-chan link
	acks     <-chan ack
	places   <-chan wire.Place // up to where the node's readings are stored
	numbers  *numbering
	backlog  *backlog
	calendar *calendar
	monitor  *monitor
	log      *slog.Logger

	window   *window.Window[*record] // what is published and not known to be stored
	rate     budget                  // of the backlog
	watchdog watchdog
	session  *session      // nil while there is none
	since    time.Duration // of the session, or of its end
	ticked   time.Duration // the last tick
}

func newWindow(c Config) *window.Window[*record] {
	return window.New[*record](window.Limits{Keep: c.Keep, Bytes: c.KeepMiB << 20, Resend: c.Resend})
}

// budget is how much of the backlog may be sent: so many readings a second.
type budget struct{ rate, tokens float64 }

func (b *budget) refill(passed time.Duration) {
	b.tokens = min(b.tokens+passed.Seconds()*b.rate, max(b.rate/10, 1))
}

// run delivers until ctx ends.
func (d *delivery) run(ctx context.Context) {
	d.since, d.ticked = d.up.now(), d.up.now()
	tick := time.NewTimer(0)
	defer tick.Stop()
	for ctx.Err() == nil {
		d.step(ctx.Done(), tick)
	}
}

// drain goes on while the sensors end, then takes what they left.
func (d *delivery) drain(sensors *sync.WaitGroup, patience time.Duration) {
	done := make(chan struct{})
	go func() { sensors.Wait(); close(done) }()
	tick, end := time.NewTimer(0), time.NewTimer(patience)
	defer tick.Stop()
	defer end.Stop()
	for {
		select {
		case <-done:
		case <-end.C:
			d.log.Warn("a sensor does not end")
		default:
			d.step(done, tick)
			continue
		}
		break
	}
	for {
		select {
		case s := <-d.samples:
			d.take(s)
		default:
			return
		}
	}
}

// step waits for one thing to happen, and does what follows from it.
func (d *delivery) step(stop <-chan struct{}, tick *time.Timer) {
	select {
	case s := <-d.samples:
		d.take(s)
	case l := <-d.links:
		d.linked(l)
	case k := <-d.acks:
		d.acked(k)
	case p := <-d.places:
		d.window.Stored(p.Boot, p.Seq, d.up.now())
	case <-tick.C:
		d.tick()
		tick.Reset(d.pause())
	case <-stop:
		return
	}
	d.publish()
	_, waiting, _ := d.window.Len()
	d.backlog.commit(spool.Seq(d.window.Done()), waiting)
}

func (d *delivery) pause() time.Duration {
	if d.session != nil && d.backlog.behind() {
		return busyTick
	}
	return idleTick
}

// take numbers a sample and sends it on its way: to the broker, or where that is
// away or the time is not known to the backlog.
func (d *delivery) take(t taken) {
	r := d.numbers.next(t)
	near := d.session != nil || d.up.now()-d.since < grace
	switch {
	case r.Held == nil && near:
		d.window.Add(r.key(), r, r.size())
	case r.Held != nil && d.calendar.gaveUp && near:
		r.unsynced()
		d.window.Add(r.key(), r, r.size())
	default:
		if !near {
			d.keepLive() // what is older goes first
		}
		d.backlog.keep(r)
	}
}

// keepLive moves what is only in memory to the backlog.
func (d *delivery) keepLive() {
	var records []*record
	for _, e := range d.window.TakeLive() {
		records = append(records, e.Item)
	}
	d.backlog.keep(records...)
}

func (d *delivery) linked(l link) {
	now := d.up.now()
	d.since = now
	if l.up {
		d.session = l.session
		d.window.Connected(now)
		return
	}
	d.session = nil
	d.window.Broken()
	d.backlog.rewind()
}

func (d *delivery) acked(k ack) {
	switch {
	case k.from != d.session || d.session == nil:
	case k.err != nil:
		d.session.drop(k.err)
	default:
		d.window.Acked(k.key, d.up.now())
	}
}

// tick does what time alone brings about.
func (d *delivery) tick() {
	now := d.up.now()
	passed := now - d.ticked
	d.ticked = now
	d.rate.refill(passed)
	d.calendar.look()
	if d.session != nil {
		d.calendar.wait(passed)
	}
	d.window.Tick(now)
	switch {
	case d.session != nil && d.window.Stalled(now) > stallAfter:
		d.session.drop(errStalled)
	case d.session == nil && now-d.since >= grace:
		d.keepLive()
	}
	d.backlog.flushIfDue()
	d.show()
	d.watchdog.beat(now)
}

// publish sends what may be sent.
func (d *delivery) publish() {
	if d.session == nil {
		return
	}
	d.addBacklog()
	for d.session != nil && d.window.InFlight() < flights {
		e := d.window.Next(d.up.now(), true)
		if e == nil {
			return
		}
		payload, err := e.Item.payload()
		if err != nil {
			d.log.Error("a reading cannot be written as JSON", "device", e.Item.Device, "err", err)
			d.window.Acked(e.Key, d.up.now())
			continue
		}
		d.session.publish(e.Item.topic(), e.Key, payload)
	}
}

// addBacklog puts readings of the backlog into the window, as many as may be sent.
func (d *delivery) addBacklog() {
	for _, r := range d.backlog.inMemory() {
		d.window.Add(r.key(), r, r.size())
	}
	_, waiting, _ := d.window.Len()
	for _, q := range d.backlog.next(min(int(d.rate.tokens), ahead-waiting, batch)) {
		d.window.AddBacklog(uint64(q.pos), q.key(), q.record, q.size())
		d.rate.tokens--
	}
}

// finish keeps what is not safe, and ends the session and the backlog.
func (d *delivery) finish() error {
	s := d.session
	d.settle()
	if s != nil && s == d.session {
		s.end()
	}
	d.keepLive()
	d.backlog.flush()
	err := d.backlog.close()
	if n := len(d.backlog.pending); n > 0 {
		d.monitor.lose(n)
		err = errors.Join(err, errors.New("readings were lost: they could neither be published nor kept"))
	}
	d.show()
	return err
}

// settle waits a little for what was published last to be stored.
func (d *delivery) settle() {
	tick := time.NewTimer(0)
	defer tick.Stop()
	end := make(chan struct{})
	time.AfterFunc(lastWait, func() { close(end) })
	for d.session != nil && d.unsafe() {
		d.step(end, tick)
		select {
		case <-end:
			return
		default:
		}
	}
}

// unsafe reports a live reading that is in memory alone.
func (d *delivery) unsafe() bool {
	live, _, _ := d.window.Len()
	if d.window.Known() {
		return live > 0
	}
	return d.window.InFlight() > 0 || d.window.Live() > 0
}

// show tells the monitor how things stand.
func (d *delivery) show() {
	live, backlog, bytes := d.window.Len()
	d.monitor.show(view{
		connected: d.session != nil, gaveUp: d.calendar.gaveUp, disk: !d.backlog.diskFull,
		window: d.window.Stats(), live: live, backlog: backlog, bytes: bytes,
		pending: len(d.backlog.pending), numbered: d.numbers.seq,
	})
}
