package function

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topology"
	"github.com/hearth-home/hearth/shared/why"
)

const chunk = 100 // alerts in one transaction

// tick is one look at everything.
type tick struct {
	f      *watcher
	st     *store.Store
	now    time.Time
	answer *answer

	house   *alert.House
	rules   *rules.Set
	watch   store.Watch
	links   *topology.Map
	why     *why.Register          // nil: not read yet
	devices map[string]*device     // all of the register
	watched []*device              // those whose silence is judged, by id
	states  []store.DeviceState    // of all devices
	active  map[string]alert.State // as they are now
	ended   map[string]time.Time   // when the alerts that explain others ended last
	canary  time.Time              // the latest; zero: none
	judged  map[string]bool        // keys of the alerts of this function of which this tick knows whether they hold
}

// tick looks at all devices and alerts.
func (f *watcher) tick(ctx context.Context, st *store.Store, now time.Time, a *answer) error {
	t := &tick{f: f, st: st, now: now, answer: a, judged: map[string]bool{}}
	if err := t.load(ctx); err != nil {
		return err
	}
	t.learn()
	if err := t.move(ctx, t.roots()); err != nil {
		return err
	}
	t.house.Roots = t.openRoots()
	found, err := t.judge(ctx)
	if err != nil {
		return err
	}
	if err := t.move(ctx, append(found, t.rest()...)); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{t.unwatch, t.look, t.tellPause, t.save} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	a.Devices = len(t.watched)
	return f.prune(ctx, st, now)
}

// prune deletes old alerts, once an hour.
func (f *watcher) prune(ctx context.Context, st *store.Store, now time.Time) error {
	if since := now.Sub(f.memory.pruned); since >= 0 && since < time.Hour {
		return nil
	}
	f.memory.pruned = now
	return st.PruneAlerts(ctx, now)
}

// load reads what the tick needs.
func (t *tick) load(ctx context.Context) error {
	h, set, err := t.f.loader.Load(ctx, t.st, t.now)
	if err != nil {
		return err
	}
	own := *h // its Roots are replaced by those of this tick
	t.house, t.rules, t.f.memory.house = &own, set, &own
	if t.watch, err = t.st.LastWatch(ctx); err != nil {
		return err
	}
	if err := t.f.memory.load(ctx, t.st, t.watch.Last, t.now); err != nil {
		return err
	}
	t.pause()
	active, err := t.st.ActiveAlerts(ctx)
	if err != nil {
		return err
	}
	t.active = make(map[string]alert.State, len(active))
	for _, s := range active {
		t.active[s.Key] = s
	}
	if err := t.loadCanary(ctx); err != nil {
		return err
	}
	return t.loadDevices(ctx)
}

// pause notices that there was no tick for a while: hearth was off, or its store was.
func (t *tick) pause() {
	w := &t.watch
	switch gap := t.now.Sub(w.Last); {
	case w.Last.IsZero() || gap < -apart: // the clock was set back
		w.Since = t.now
	case gap > apart:
		if w.From.IsZero() && gap >= longPause {
			w.From = w.Last
		}
		w.Since = t.now
	}
	if w.Last = latest(w.Last, t.now); w.Since.Equal(t.now) {
		w.Last = t.now
	}
}

// move applies observations to their alerts, except those that would change nothing.
func (t *tick) move(ctx context.Context, observations []alert.Observation) error {
	needed := slices.DeleteFunc(observations, func(o alert.Observation) bool { return !t.needs(o) })
	for part := range slices.Chunk(needed, chunk) {
		keys := make([]string, len(part))
		for i, o := range part {
			keys[i] = o.Key
		}
		err := t.change(ctx, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return t.house.Move(before, part, t.now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// needs reports whether an observation says something new of its alert.
func (t *tick) needs(o alert.Observation) bool {
	s, ok := t.active[o.Key]
	switch o.Verdict {
	case alert.Bad:
		return !ok || s.Phase != alert.Pending && s.Phase != alert.Firing || !s.Clearing.IsZero() || o.Level > s.Level
	case alert.NoData:
		return s.Phase == alert.Firing || s.Phase == alert.Pending
	}
	return ok && (s.Phase == alert.Pending || s.Phase == alert.Unknown || s.Phase == alert.Firing && s.Clearing.IsZero())
}

// change changes alerts in one transaction.
func (t *tick) change(ctx context.Context, keys []string, move store.Move) error {
	var changed []alert.State
	var messages []alert.Message
	err := t.st.MoveAlerts(ctx, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		changed, messages = move(before)
		return changed, messages
	})
	if err != nil {
		return err
	}
	for _, s := range changed {
		if t.active[s.Key] = s; !s.Active() {
			delete(t.active, s.Key)
		}
	}
	t.answer.Changed += len(changed)
	t.answer.Messages += len(messages)
	return nil
}

// look lets time pass for all active alerts.
func (t *tick) look(ctx context.Context) error {
	var all []alert.State
	for _, key := range slices.Sorted(maps.Keys(t.active)) {
		all = append(all, t.active[key])
	}
	changed, _ := t.house.Look(all, t.fresh, t.now)
	for part := range slices.Chunk(changed, chunk) {
		keys := make([]string, len(part))
		for i, s := range part {
			keys[i] = s.Key
		}
		err := t.change(ctx, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return t.house.Look(inOrder(before, keys), t.fresh, t.now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inOrder returns the states that the store has, in the order of keys.
func inOrder(states map[string]alert.State, keys []string) (out []alert.State) {
	for _, key := range keys {
		if s, ok := states[key]; ok {
			out = append(out, s)
		}
	}
	return out
}

// fresh reports whether what an alert was judged by still holds.
func (t *tick) fresh(s *alert.State) bool {
	if ours(s) {
		return t.judged[s.Key]
	}
	d := t.devices[s.Device]
	return d != nil && s.Field != "" && !t.missing(d, s.Field)
}

// save stores what was learned.
func (t *tick) save(ctx context.Context) error {
	m := &t.f.memory
	learned := m.learned()
	if err := t.st.SaveCadences(ctx, t.watch, learned, t.now); err != nil {
		return err
	}
	m.saved(learned)
	m.last = t.watch.Last
	t.answer.Learned = len(learned)
	return nil
}
