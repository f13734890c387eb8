package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	idleTick           = time.Second
	busyTick           = 25 * time.Millisecond // while there is a backlog
	grace              = time.Second           // a shorter loss of the connection writes nothing to disk
	stallAfter         = 10 * time.Second      // the connection is dropped after so long without an acknowledgement of a publication
	maxInFlight        = 500                   // publications that the broker has not acknowledged
	maxBacklogInWindow = 2000                  // backlog readings in the window
	storedWait         = 4 * time.Second       // longest wait at the end for the last stored message, which comes up to 2 s after the last reading is stored
)

var errStalled = errors.New("the broker does not acknowledge")

// delivery moves every reading from its sensor to the broker or the backlog. It is one
// goroutine, which alone uses numbers, backlog, window and session.
type delivery struct {
	up         uptime
	samples    <-chan takenSample
	sessions   <-chan sessionChange
	acks       <-chan ack
	stored     <-chan wire.StoredUpTo // stored messages of this node
	numbers    *numbering
	backlog    *backlog
	timekeeper *timekeeper
	monitor    *monitor
	log        *slog.Logger

	window   *window.Window[*record] // readings to publish, and published ones that are not known to be stored
	rate     budget                  // of backlog readings
	watchdog watchdog
	session  *session      // nil while the broker is not connected
	since    time.Duration // start of the session, or its end while there is none
	ticked   time.Duration // time of the last tick
}

func newWindow(c Config) *window.Window[*record] {
	return window.New[*record](window.Limits{Keep: c.Keep, Bytes: c.KeepMiB << 20, Resend: c.Resend})
}

// run moves readings until ctx ends.
func (d *delivery) run(ctx context.Context) {
	d.since, d.ticked = d.up.now(), d.up.now()
	tick := time.NewTimer(0)
	defer tick.Stop()
	for ctx.Err() == nil {
		d.step(ctx.Done(), tick)
	}
}

// drain moves readings until the sensors have stopped or patience has passed. Then it
// accepts the samples that are left in the channel.
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
			d.log.Warn("a sensor does not stop", "waited", patience)
		default:
			d.step(done, tick)
			continue
		}
		break
	}
	for {
		select {
		case s := <-d.samples:
			d.accept(s)
		default:
			return
		}
	}
}

// step waits for one event and handles it. Then it publishes what may be published.
func (d *delivery) step(stop <-chan struct{}, tick *time.Timer) {
	select {
	case s := <-d.samples:
		d.accept(s)
	case l := <-d.sessions:
		d.onSession(l)
		if l.up {
			tick.Reset(0) // now, since the budget of a backlog is filled at ticks
		}
	case k := <-d.acks:
		d.onAck(k)
	case p := <-d.stored:
		d.window.Stored(p.Boot, p.Seq, d.up.now())
	case <-tick.C:
		d.tick()
		tick.Reset(d.tickInterval())
	case <-stop:
		return
	}
	d.publish()
	_, waiting, _ := d.window.Len()
	d.backlog.commit(spool.Seq(d.window.BacklogDone()), waiting)
}

// tickInterval returns the time to the next tick.
func (d *delivery) tickInterval() time.Duration {
	if d.session != nil && d.backlog.hasMore() {
		return busyTick
	}
	return idleTick
}

// accept makes a numbered reading from a sample. It puts the reading into the window
// to be published, or into the backlog if the broker cannot be reached or the
// reading's time is not known.
func (d *delivery) accept(t takenSample) {
	r := d.numbers.next(t)
	online := d.session != nil || d.up.now()-d.since < grace
	switch {
	case r.Held == nil && online:
		d.window.Add(r.key(), r, r.size())
	case r.Held != nil && d.timekeeper.gaveUp && online:
		r.markUnsynced()
		d.window.Add(r.key(), r, r.size())
	default:
		if !online {
			d.moveLiveToBacklog() // keeps the order: these readings are older
		}
		d.backlog.add(r)
	}
}

// moveLiveToBacklog moves the live readings that are in memory only to the backlog.
func (d *delivery) moveLiveToBacklog() {
	var records []*record
	for _, e := range d.window.TakeLive() {
		records = append(records, e.Item)
	}
	d.backlog.add(records...)
}

// onSession handles the start or end of a session.
func (d *delivery) onSession(l sessionChange) {
	now := d.up.now()
	d.since = now
	if l.up {
		d.session = l.session
		d.window.Connected(now)
		return
	}
	d.session = nil
	d.window.Disconnected()
	d.backlog.rewind()
}

// onAck handles the broker's acknowledgement of a publication, or its failure.
func (d *delivery) onAck(k ack) {
	switch {
	case k.from != d.session || d.session == nil: // of an earlier session
	case k.err != nil:
		d.session.drop(k.err)
	default:
		d.window.Acked(k.key, d.up.now())
	}
}

// tick does what depends on time alone: timeouts, retries, budget, metrics, watchdog.
func (d *delivery) tick() {
	now := d.up.now()
	passed := now - d.ticked
	d.ticked = now
	d.rate.refill(passed)
	d.timekeeper.poll()
	if d.session != nil {
		d.timekeeper.countWait(passed)
	}
	d.window.Tick(now)
	switch {
	case d.session != nil && d.window.Stalled(now) > stallAfter:
		d.session.drop(errStalled)
	case d.session == nil && now-d.since >= grace:
		d.moveLiveToBacklog()
	}
	d.backlog.flushIfDue()
	d.updateMonitor()
	d.watchdog.notify(now)
}

// publish publishes entries of the window, at most maxInFlight at once.
func (d *delivery) publish() {
	if d.session == nil {
		return
	}
	d.addBacklog()
	for d.session != nil && d.window.InFlight() < maxInFlight {
		e := d.window.Next(d.up.now(), true)
		if e == nil {
			return
		}
		payload, err := e.Item.payload()
		if err != nil {
			d.log.Error("a reading cannot be encoded as JSON and is lost", "device", e.Item.Device, "err", err)
			d.window.Acked(e.Key, d.up.now())
			continue
		}
		d.session.publish(e.Item.topic(), e.Key, payload)
	}
}

// addBacklog moves backlog readings into the window, as many as budget and window
// allow.
func (d *delivery) addBacklog() {
	for _, r := range d.backlog.takePending() {
		d.window.Add(r.key(), r, r.size())
	}
	_, waiting, _ := d.window.Len()
	for _, q := range d.backlog.next(min(int(d.rate.tokens), maxBacklogInWindow-waiting, batch)) {
		d.window.AddBacklog(uint64(q.pos), q.key(), q.record, q.size())
		d.rate.tokens--
	}
}

// finish waits for the last readings to be stored, writes the others to disk, and ends
// the session. It returns an error if readings were lost.
func (d *delivery) finish() error {
	s := d.session
	d.waitStored()
	if s != nil && s == d.session {
		s.end()
	}
	d.moveLiveToBacklog()
	d.backlog.flush()
	err := d.backlog.close()
	if n := len(d.backlog.pending); n > 0 {
		d.monitor.countLost(n)
		lost := errors.New("readings were lost: they could neither be published nor written to disk")
		if err != nil {
			lost = fmt.Errorf("%w; %w", lost, err)
		}
		err = lost
	}
	d.updateMonitor()
	return err
}

// waitStored waits up to storedWait for the last readings to be stored.
func (d *delivery) waitStored() {
	tick := time.NewTimer(0)
	defer tick.Stop()
	end := make(chan struct{})
	time.AfterFunc(storedWait, func() { close(end) })
	for d.session != nil && d.hasUnsafeLive() {
		d.step(end, tick)
		select {
		case <-end:
			return
		default:
		}
	}
}

// hasUnsafeLive reports whether a live reading is in memory only: not stored, or where
// there are no stored messages, not acknowledged by the broker.
func (d *delivery) hasUnsafeLive() bool {
	live, _, _ := d.window.Len()
	if d.window.HasStored() {
		return live > 0
	}
	return d.window.InFlight() > 0 || d.window.LiveWaiting() > 0
}

// updateMonitor passes the current state to the monitor.
func (d *delivery) updateMonitor() {
	live, backlog, bytes := d.window.Len()
	d.monitor.setSnapshot(snapshot{
		connected: d.session != nil, gaveUp: d.timekeeper.gaveUp, disk: !d.backlog.diskFailed,
		window: d.window.Stats(), live: live, backlog: backlog, bytes: bytes,
		pending: len(d.backlog.pending), numbered: d.numbers.seq,
	})
}
