package function

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/rollup"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// tick is one call, and what its jobs share.
type tick struct {
	*function
	st     *store.Store
	now    time.Time
	house  *alert.House
	rules  *rules.Set
	file   file
	unread error                  // hearth.yml has had mistakes ever since the process began: what it says is not known
	active map[string]alert.State // as they were at the start, by key
}

// outcome is what a tick did.
type outcome struct {
	failed []error // of single jobs
	rolled rollup.Done
}

// tick runs all jobs under a lease, sends what waits in the outbox, and rolls up the history
// in the time that is left. err means that no job was run.
func (f *function) tick(ctx context.Context, now time.Time) (o outcome, err error) {
	st, err := f.env.Open(ctx)
	if err != nil {
		return o, err
	}
	fence, err := st.Lease(ctx, name, rand.Text(), leaseTTL)
	if err != nil {
		return o, err
	}
	defer st.Release(context.WithoutCancel(ctx), name, fence) // an error means that the lease ends by itself
	t := &tick{function: f, st: st, now: now}
	jobs, cancel := context.WithTimeout(ctx, jobsTime)
	defer cancel()
	if err := t.load(jobs); err != nil {
		return o, err
	}
	o.failed = t.work(jobs)
	f.sender.Drain(ctx, st, max(tickTime-rollTime-f.env.Now().Sub(now), sendTime), f.env.Now, f.env.Log)
	if o.rolled, err = t.rollUp(ctx); err != nil {
		o.failed = append(o.failed, fmt.Errorf("roll-ups: %w", err))
	}
	return o, nil
}

// rollUp makes roll-ups, and deletes old readings, until shortly before ctx ends.
func (t *tick) rollUp(ctx context.Context) (rollup.Done, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-answerTime))
		defer cancel()
	}
	return t.roller.Tick(ctx, t.st, t.now)
}

// work runs the jobs, those first that take little time.
func (t *tick) work(ctx context.Context) (failed []error) {
	if t.unread != nil {
		failed = append(failed, t.unread)
	}
	for _, job := range []struct {
		what string
		file bool // it needs hearth.yml
		run  func(context.Context) error
	}{
		{"reminders", true, t.remind},
		{"expiry dates", true, t.expiries},
		{"overdue sources", false, t.overdue},
		{"ping of the outside watcher", false, t.ping},
		{"certificates", true, t.certificates},
		{"good morning", true, t.greet},
		{"old rows", false, func(ctx context.Context) error { return t.st.Prune(ctx, t.now) }},
	} {
		if job.file && t.unread != nil {
			continue
		}
		if err := job.run(ctx); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", job.what, err))
		}
	}
	return failed
}

// load reads what the jobs need.
func (t *tick) load(ctx context.Context) error {
	h, set, err := t.loader.Load(ctx, t.st, t.now)
	if err != nil {
		return err
	}
	own := *h
	own.Destinations, own.Mode, own.URL = t.sender.Destinations(), t.sender.Mode(), t.sender.Page()
	t.house, t.rules = &own, set
	if err := t.function.file.ReadSaved(ctx, t.st, t.now); err != nil {
		return err
	}
	if t.file, err = t.function.file.Look(t.now); errors.Is(err, settings.ErrUnread) {
		t.unread = err
	}
	states, err := t.st.ActiveAlerts(ctx)
	if err != nil {
		return err
	}
	t.active = make(map[string]alert.State, len(states))
	for _, s := range states {
		t.active[s.Key] = s
	}
	return nil
}

// move applies observations to their alerts. One that would change nothing is left out: a
// good one without an active alert, and one that an open alert says already.
func (t *tick) move(ctx context.Context, observations []alert.Observation) error {
	observations = slices.DeleteFunc(observations, func(o alert.Observation) bool {
		s, active := t.active[o.Key]
		if o.Verdict == alert.Bad {
			return s.Phase == alert.Firing && s.Level == o.Level && s.Text == o.Text && s.Severity == o.Severity
		}
		return !active
	})
	keys := make([]string, len(observations))
	for i, o := range observations {
		keys[i] = o.Key
	}
	return t.st.MoveAlerts(ctx, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		return t.house.Move(before, observations, t.now)
	})
}

// unwatch ends the active alerts of a rule that are not among those watched, for the reason
// why.
func (t *tick) unwatch(ctx context.Context, rule string, watched map[string]bool, why string) error {
	var keys []string
	for key := range t.active {
		if strings.HasPrefix(key, rule+"/") && !watched[key] {
			keys = append(keys, key)
		}
	}
	return t.st.MoveAlerts(ctx, keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		var gone []alert.State
		for _, key := range keys {
			if s := before[key]; s.Active() {
				gone = append(gone, s)
			}
		}
		return t.house.Unwatch(gone, why, t.now)
	})
}

// queue adds messages to the outbox, which takes each key once.
func (t *tick) queue(ctx context.Context, messages []alert.Message) error {
	if len(messages) == 0 {
		return nil
	}
	return t.st.Queue(ctx, messages)
}
