package source

import (
	"cmp"
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

const slackTime = 2 * time.Second // for sending messages, at the start and at the end of a run

// finish records the run and each target's alert state, and sends the messages.
// A target has no new alert state after a backfill, after a skipped fetch, while it waits
// for its host or is not offered, or after a manual rerun with a spent quota: none of them
// shows whether the upstream works now. A target that has waited for longer than maxWait
// counts as failed.
func (x *runner) finish(ctx context.Context, st *store.Store, r store.Run, fs []result) error {
	now := x.env.Now()
	before, err := st.Targets(ctx, x.Name)
	if err != nil {
		return err
	}
	var outcomes []alert.Outcome
	for _, f := range fs {
		spent, _ := isSpent(f.err, r.Started)
		waits := f.waiting && (before[f.target].LastOK.IsZero() || now.Sub(before[f.target].LastOK) < maxWait)
		if f.skipped || waits || f.off || r.Trigger == "backfill" || spent && r.Trigger != "cron" {
			continue
		}
		outcomes = append(outcomes, x.outcome(f.target, cmp.Or(f.err, f.Failed)))
	}
	states, messages := x.alerts(r).Targets(before, outcomes, now, now)
	if err := st.Finish(ctx, r, states, messages); err != nil {
		return err
	}
	x.send(ctx, st)
	return nil
}

// died returns the alert states and messages for a run that died: its lease
// expired before the run finished. All targets count as failed, since it is unknown
// which ones the run had fetched.
func (x *runner) died(r store.Run, before map[string]alert.TargetState) ([]alert.TargetState, []alert.Message) {
	x.env.Log.Error("died", "function", x.Name, "run", r.ID, "started", r.Started)
	if r.Trigger == "backfill" || r.Sample {
		return nil, nil
	}
	err := diedError(r.Started.UTC().Format("15:04 UTC on 2 January"))
	var outcomes []alert.Outcome
	for _, target := range x.Targets {
		outcomes = append(outcomes, x.outcome(target, err))
	}
	return x.alerts(r).Targets(before, outcomes, r.Started, x.env.Now())
}

// alerts returns the run as shared/alert needs it.
func (x *runner) alerts(r store.Run) alert.Run {
	return alert.Run{Function: x.Name, ID: r.ID, Channel: alert.Pipelines, Mute: x.mute() || x.env.Sample}
}

// mute reports whether there is nowhere to send messages.
func (x *runner) mute() bool {
	return len(x.notifier.Destinations()) == 0 || x.notifier.Mode() == alert.Observe
}

// outcome returns how a run ended for a target; a nil err means that it worked.
func (x *runner) outcome(target string, err error) alert.Outcome {
	o := alert.Outcome{Target: target}
	if err == nil {
		return o
	}
	o.Reason, o.Cause = x.env.Secrets.Brief(err.Error(), reasonBytes), cause(err)
	if x.AlertAfter != nil {
		o.AlertAfter = x.AlertAfter(err)
	}
	return o
}

// unwatch deletes the states of the targets once: they are not fetched any more. If their
// failure was reported, so is this.
func (x *runner) unwatch(ctx context.Context, why string) {
	if x.unwatched.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, slackTime)
	defer cancel()
	st, err := x.env.Open(ctx)
	if err != nil {
		return // presence logs it
	}
	before, err := st.Targets(ctx, x.Name)
	if err == nil && len(before) > 0 {
		run := alert.Run{Function: x.Name, Channel: alert.Pipelines, Mute: x.mute()}
		err = st.DropTargets(ctx, x.Name, run.Unwatched(before, why, x.env.Now()))
	}
	if err != nil {
		x.env.Log.Warn("the alerts of the targets stay", "function", x.Name, "err", err)
		return
	}
	x.unwatched.Store(true)
	x.send(ctx, st)
}

// send sends the messages of the outbox that are due.
func (x *runner) send(ctx context.Context, st *store.Store) {
	x.notifier.Drain(ctx, st, slackTime, x.env.Now, x.env.Log)
}
