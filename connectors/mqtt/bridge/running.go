package bridge

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// keepAbsent is how long a function that disappeared keeps its place in the
// spool: it may be on its way back with a new image.
const keepAbsent = 24 * time.Hour

// settle is how long a look at the functions waits for consumers to end. Those
// with a slow call under way are met again at the next.
const settle = time.Second

// running is a consumer at work. Its function has no other until done is closed.
type running struct {
	*consumer
	stop   context.CancelFunc
	done   chan struct{}
	ending bool
}

// ended reports that it was stopped and is through.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return r.ending
	default:
		return false
	}
}

// apply makes the consumers what fs say. Nothing is waited for with b.mu held.
func (b *Bridge) apply(ctx context.Context, fs []Function) {
	stuck := b.stuck()
	await(ctx, b.retire(fs, stuck))
	b.leave()
	b.makeRoom(ctx, fs, stuck)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range fs {
		delete(b.gone, f.Name)
		delete(b.kept, f.Name)
		if b.consumers[f.Name] == nil {
			b.start(ctx, f)
		}
	}
	b.forget(fs)
	if !b.looked {
		b.looked = true
		if err := errors.Join(b.hold.Close(), b.spool.RemoveReader(holdReader)); err != nil {
			b.log.Error("let go of the spool's beginning", "err", err)
		}
	}
}

// retire stops the consumers of functions that changed, went or are stuck.
func (b *Bridge) retire(fs []Function, stuck map[string]bool) (ending []*running) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, r := range b.consumers {
		i := slices.IndexFunc(fs, func(f Function) bool { return f.Name == name })
		if i >= 0 && fs[i].equal(r.f) && !r.ending && !stuck[name] {
			continue
		}
		if i < 0 && !r.ending {
			b.log.Info("function is gone, its messages wait", "function", name, "for", keepAbsent)
		}
		r.ending = true
		r.stop()
		ending = append(ending, r)
	}
	return ending
}

// await waits a moment for consumers to end.
func await(ctx context.Context, rs []*running) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for _, r := range rs {
		select {
		case <-r.done:
		case <-ctx.Done():
			return
		}
	}
}

// leave takes out the consumers that ended.
func (b *Bridge) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, r := range b.consumers {
		if r.ended() {
			delete(b.consumers, name)
			b.kept[name] = r.f
		}
	}
}

// makeRoom lets the stuck ones that have ended give up messages.
func (b *Bridge) makeRoom(ctx context.Context, fs []Function, stuck map[string]bool) {
	for name, is := range stuck {
		b.mu.Lock()
		f, known := b.kept[name]
		running := b.consumers[name] != nil
		b.mu.Unlock()
		if !is || running {
			continue
		}
		if i := slices.IndexFunc(fs, func(f Function) bool { return f.Name == name }); i >= 0 {
			f, known = fs[i], true
		}
		wants := func(*Message) bool { return true }
		if known {
			wants = f.wants()
		}
		b.giveUp(ctx, name, wants)
	}
}

// start runs a consumer on a life of its own: a call under way at the end of
// ctx is finished. With b.mu.
func (b *Bridge) start(ctx context.Context, f Function) {
	c, err := newConsumer(b, f)
	if err != nil {
		b.log.Error("start", "function", f.Name, "err", err)
		return
	}
	own, stop := context.WithCancel(ctx)
	r := &running{consumer: c, stop: stop, done: make(chan struct{})}
	b.consumers[f.Name] = r
	b.log.Info("function listens", "function", f.Name, "topics", f.Filters, "batch", f.Batch)
	go func() {
		defer close(r.done)
		c.run(own)
	}()
}

// forget gives up the place of functions that have been away for long.
func (b *Bridge) forget(fs []Function) {
	for _, name := range b.spool.Readers() {
		f, _, ok := parseLane(name)
		if !ok || slices.ContainsFunc(fs, func(g Function) bool { return g.Name == f }) {
			continue
		}
		if b.gone[f].IsZero() {
			b.gone[f] = b.now()
		}
		if b.now().Sub(b.gone[f]) > keepAbsent {
			err := b.spool.RemoveReader(name)
			delete(b.kept, f)
			b.log.Warn("function stayed away: its messages are given up", "function", f, "err", err)
		}
	}
}

func (b *Bridge) filters() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.consumers {
		all = append(all, r.f.Filters...)
	}
	for _, f := range b.kept {
		all = append(all, f.Filters...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// stopAll ends every consumer and waits for it. No look is under way any more.
func (b *Bridge) stopAll() {
	b.mu.Lock()
	rs := slices.Collect(maps.Values(b.consumers))
	b.mu.Unlock()
	for _, r := range rs {
		r.stop()
		<-r.done
	}
}
