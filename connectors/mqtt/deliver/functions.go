package deliver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
)

// keepAbsent is how long the spool keeps the messages of a function that is no longer
// in the gateway's list: a deployment may bring it back with a new image.
const keepAbsent = 24 * time.Hour

// endTimeout is how long apply waits for stopped consumers to end. A consumer with a
// slow call in flight is handled by a later apply.
const endTimeout = time.Second

// running is a consumer and its goroutine. A function gets its next consumer only
// after done is closed.
type running struct {
	*consumer
	stop   context.CancelFunc
	done   chan struct{}
	ending bool

	version string // of the deployment that is called; "": the gateway no longer lists the function
}

// noteVersion gives up the calls in flight, after answerTime, if the function was replaced
// or removed. It is fs[i] in the gateway's list; i < 0: it is not listed.
func (r *running) noteVersion(fs []subscriber, i int) {
	version := ""
	if i >= 0 {
		version = fs[i].Version
	}
	if version != r.version {
		r.version = version
		r.calls.replaced(answerTime)
	}
}

// ended reports whether the consumer was stopped and has finished.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return r.ending
	default:
		return false
	}
}

// apply starts, stops and replaces consumers so that they match fs, the functions
// that the gateway lists. It never waits while it holds d.mu.
func (d *Deliverer) apply(ctx, calls context.Context, fs []subscriber) {
	stuck := d.stuck()
	waitEnded(ctx, d.stopChanged(fs, stuck))
	d.removeEnded()
	d.evictStuck(ctx, fs, stuck)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range fs {
		delete(d.absentSince, f.Name)
		delete(d.ended, f.Name)
		if d.consumers[f.Name] == nil {
			d.start(ctx, calls, f)
		}
	}
	d.removeAbsent(fs)
	if !d.listed {
		d.listed = true
		if err := errors.Join(d.unclaimed.Close(), d.o.Spool.RemoveReader(unclaimedReader)); err != nil {
			d.o.Log.Error("remove the spool reader for the time before the first list of functions", "err", err)
		}
	}
}

// stopChanged stops the consumers of functions that changed, are no longer listed or
// are stuck, and returns all that are still ending.
func (d *Deliverer) stopChanged(fs []subscriber, stuck map[string]bool) (ending []*running) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, r := range d.consumers {
		i := slices.IndexFunc(fs, func(f subscriber) bool { return f.Name == name })
		r.noteVersion(fs, i)
		if i >= 0 && fs[i].equal(r.f) && !r.ending && !stuck[name] {
			continue
		}
		if i < 0 && !r.ending {
			d.o.Log.Info("the gateway no longer lists a function: its messages are kept for a while", "function", name, "for", keepAbsent)
		}
		r.ending = true
		r.stop()
		ending = append(ending, r)
	}
	return ending
}

// waitEnded waits until the consumers have ended, at most endTimeout.
func waitEnded(ctx context.Context, rs []*running) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	for _, r := range rs {
		select {
		case <-r.done:
		case <-ctx.Done():
			return
		}
	}
}

// removeEnded moves the consumers that have ended from d.consumers to d.ended.
func (d *Deliverer) removeEnded() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, r := range d.consumers {
		if r.ended() {
			delete(d.consumers, name)
			d.ended[name] = r.f
		}
	}
}

// stuck returns the functions whose backlog keeps the spool full for the others.
func (d *Deliverer) stuck() map[string]bool {
	var usages []usage
	for _, c := range d.all() {
		usages = append(usages, usage{c.f.Name, c.spoolBytes(), c.failure.Load() == ""})
	}
	return d.quota.stuck(usages)
}

// evictStuck evicts the oldest messages of the stuck functions whose consumers have
// ended.
func (d *Deliverer) evictStuck(ctx context.Context, fs []subscriber, stuck map[string]bool) {
	for name, isStuck := range stuck {
		d.mu.Lock()
		f, known := d.ended[name]
		running := d.consumers[name] != nil
		d.mu.Unlock()
		if !isStuck || running {
			continue
		}
		if i := slices.IndexFunc(fs, func(f subscriber) bool { return f.Name == name }); i >= 0 {
			f, known = fs[i], true
		}
		wants := func(*message.Message) bool { return true }
		if known {
			wants = f.matcher()
		}
		lost, err := d.quota.evict(ctx, name, wants)
		d.mu.Lock()
		d.evicted[name] += lost
		d.mu.Unlock()
		d.o.Log.Error("the spool is nearly full: the oldest messages of a stuck function are evicted, so that the other functions get theirs",
			"function", name, "messages", lost, "err", err)
	}
}

// start starts a consumer, which runs until ctx ends or it is stopped. The caller
// holds d.mu.
func (d *Deliverer) start(ctx, calls context.Context, f subscriber) {
	workers, byLoad := f.Concurrency, d.o.ByLoad && f.Batch > 0
	if byLoad {
		workers = 1 // each call is a commit of the store
	}
	c := &consumer{f: f, workers: workers, byLoad: byLoad, gateway: d.gateway, outputs: d.outputs, spool: d.o.Spool, now: d.o.Now, calls: newCalls(calls), log: d.o.Log.With("function", f.Name)}
	begin := d.firstStart
	if d.listed {
		begin = d.o.Spool.Next()
	}
	if err := c.open(begin); err != nil {
		d.o.Log.Error("start delivering to a function", "function", f.Name, "err", err)
		return
	}
	own, stop := context.WithCancel(ctx)
	r := &running{consumer: c, stop: stop, done: make(chan struct{}), version: f.Version}
	d.consumers[f.Name] = r
	d.o.Log.Info("delivering to a function", "function", f.Name, "topics", f.Filters, "batch", f.Batch)
	go func() {
		defer close(r.done)
		defer c.calls.end()
		c.run(own)
	}()
}

// removeAbsent removes the spool readers of functions that have been missing from
// the gateway's list for longer than keepAbsent. The caller holds d.mu.
func (d *Deliverer) removeAbsent(fs []subscriber) {
	for _, name := range d.o.Spool.Readers() {
		f, _, ok := message.ParseLane(name)
		if !ok || slices.ContainsFunc(fs, func(g subscriber) bool { return g.Name == f }) {
			continue
		}
		if d.absentSince[f].IsZero() {
			d.absentSince[f] = d.o.Now()
		}
		if d.o.Now().Sub(d.absentSince[f]) > keepAbsent {
			err := d.o.Spool.RemoveReader(name)
			delete(d.ended, f)
			d.o.Log.Warn("a function was not listed for too long: its messages are dropped", "function", f, "err", err)
		}
	}
}

// filters returns the filters of all functions, sorted and without duplicates.
// Those whose consumer has ended are included.
func (d *Deliverer) filters() (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.consumers {
		all = append(all, r.f.Filters...)
	}
	for _, f := range d.ended {
		all = append(all, f.Filters...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stopAll stops every consumer and waits for it. No apply may run at the same time.
func (d *Deliverer) stopAll() {
	d.mu.Lock()
	rs := slices.Collect(maps.Values(d.consumers))
	d.mu.Unlock()
	for _, r := range rs {
		r.stop()
		<-r.done
	}
}
