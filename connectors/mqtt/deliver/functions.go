package deliver

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
)

// keepAbsent is how long a function that disappeared keeps its place in the
// spool: it may be on its way back with a new image.
const keepAbsent = 24 * time.Hour

// endWait is how long a look at the functions waits for consumers to end. Those
// with a slow call under way are met again at the next.
const endWait = time.Second

// running is a consumer at work. Its function has no other until done is closed.
type running struct {
	*consumer
	stop   context.CancelFunc
	done   chan struct{}
	ending bool
}

// ended reports that it was stopped and has finished.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return r.ending
	default:
		return false
	}
}

// apply makes the consumers what fs say. It waits for nothing with d.mu held.
func (d *Deliverer) apply(ctx, calls context.Context, fs []listener) {
	stuck := d.stuck()
	await(ctx, d.retire(fs, stuck))
	d.removeEnded()
	d.makeRoom(ctx, fs, stuck)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range fs {
		delete(d.gone, f.Name)
		delete(d.absent, f.Name)
		if d.consumers[f.Name] == nil {
			d.start(ctx, calls, f)
		}
	}
	d.forget(fs)
	if !d.known {
		d.known = true
		if err := errors.Join(d.unclaimed.Close(), d.o.Spool.RemoveReader(unclaimedReader)); err != nil {
			d.o.Log.Error("close the reader of what came before the functions were known", "err", err)
		}
	}
}

// retire stops the consumers of functions that changed, went or are stuck.
func (d *Deliverer) retire(fs []listener, stuck map[string]bool) (ending []*running) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, r := range d.consumers {
		i := slices.IndexFunc(fs, func(f listener) bool { return f.Name == name })
		if i >= 0 && fs[i].equal(r.f) && !r.ending && !stuck[name] {
			continue
		}
		if i < 0 && !r.ending {
			d.o.Log.Info("function is gone, its messages wait", "function", name, "for", keepAbsent)
		}
		r.ending = true
		r.stop()
		ending = append(ending, r)
	}
	return ending
}

// await waits a moment for consumers to end.
func await(ctx context.Context, rs []*running) {
	ctx, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	for _, r := range rs {
		select {
		case <-r.done:
		case <-ctx.Done():
			return
		}
	}
}

// removeEnded takes out the consumers that ended.
func (d *Deliverer) removeEnded() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, r := range d.consumers {
		if r.ended() {
			delete(d.consumers, name)
			d.absent[name] = r.f
		}
	}
}

// stuck names the functions that are in the way of others.
func (d *Deliverer) stuck() map[string]bool {
	var behind []behindBy
	for _, c := range d.all() {
		behind = append(behind, behindBy{c.f.Name, c.behind(), c.state.Load() == ""})
	}
	return d.share.stuck(behind)
}

// makeRoom lets the stuck functions whose consumers have ended give up messages.
func (d *Deliverer) makeRoom(ctx context.Context, fs []listener, stuck map[string]bool) {
	for name, is := range stuck {
		d.mu.Lock()
		f, known := d.absent[name]
		running := d.consumers[name] != nil
		d.mu.Unlock()
		if !is || running {
			continue
		}
		if i := slices.IndexFunc(fs, func(f listener) bool { return f.Name == name }); i >= 0 {
			f, known = fs[i], true
		}
		wants := func(*message.Message) bool { return true }
		if known {
			wants = f.wants()
		}
		lost, err := d.share.giveUp(ctx, name, wants)
		d.mu.Lock()
		d.lost[name] += lost
		d.mu.Unlock()
		d.o.Log.Error("the spool is nearly full: a function that takes nothing gives up its oldest messages, so that the others go on",
			"function", name, "messages", lost, "err", err)
	}
}

// start runs a consumer, until ctx ends or it is stopped. With d.mu.
func (d *Deliverer) start(ctx, calls context.Context, f listener) {
	workers, byLoad := f.Concurrency, d.o.ByLoad && f.Batch > 0
	if byLoad {
		workers = 1 // two calls would be two commits
	}
	c := &consumer{f: f, workers: workers, byLoad: byLoad, gateway: d.gateway, outlet: d.outlet, spool: d.o.Spool, now: d.o.Now, calling: calls, log: d.o.Log.With("function", f.Name)}
	begin := d.first
	if d.known {
		begin = d.o.Spool.Next()
	}
	if err := c.open(begin); err != nil {
		d.o.Log.Error("start", "function", f.Name, "err", err)
		return
	}
	own, stop := context.WithCancel(ctx)
	r := &running{consumer: c, stop: stop, done: make(chan struct{})}
	d.consumers[f.Name] = r
	d.o.Log.Info("function listens", "function", f.Name, "topics", f.Filters, "batch", f.Batch)
	go func() {
		defer close(r.done)
		c.run(own)
	}()
}

// forget gives up the place of functions that have been away for long. With d.mu.
func (d *Deliverer) forget(fs []listener) {
	for _, name := range d.o.Spool.Readers() {
		f, _, ok := message.ParseLane(name)
		if !ok || slices.ContainsFunc(fs, func(g listener) bool { return g.Name == f }) {
			continue
		}
		if d.gone[f].IsZero() {
			d.gone[f] = d.o.Now()
		}
		if d.o.Now().Sub(d.gone[f]) > keepAbsent {
			err := d.o.Spool.RemoveReader(name)
			delete(d.absent, f)
			d.o.Log.Warn("function stayed away: its messages are given up", "function", f, "err", err)
		}
	}
}

// filters returns what the functions want, those too that are away for now.
func (d *Deliverer) filters() (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.consumers {
		all = append(all, r.f.Filters...)
	}
	for _, f := range d.absent {
		all = append(all, f.Filters...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stopAll ends every consumer and waits for it. No look is under way any more.
func (d *Deliverer) stopAll() {
	d.mu.Lock()
	rs := slices.Collect(maps.Values(d.consumers))
	d.mu.Unlock()
	for _, r := range rs {
		r.stop()
		<-r.done
	}
}
