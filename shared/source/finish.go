package source

import (
	"cmp"
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
)

const sendTime = 2 * time.Second // for sending messages, at the start and at the end of a run

// finish records the run and its targets, moves their alerts, and sends the messages.
// A target is not judged after a backfill, after a skipped fetch, while it waits for its
// host or is not offered, or after a manual rerun with a spent quota: none of them shows
// whether the upstream works now. A target that has waited for longer than maxWait counts
// as failed.
func (x *runner) finish(ctx context.Context, st *store.Store, h watch, r store.Run, fs []result) error {
	now := x.env.Now()
	before, err := st.Targets(ctx, x.Name)
	if err != nil {
		return err
	}
	var targets []store.Target
	var observations []alert.Observation
	for _, f := range fs {
		spent, _ := isSpent(f.err, r.Started)
		waits := f.waiting && (before[f.target].LastOK.IsZero() || now.Sub(before[f.target].LastOK) < maxWait)
		if f.skipped || waits || f.off || r.Trigger == "backfill" || spent && r.Trigger != "cron" {
			continue
		}
		t, o := x.judge(r, before[f.target], f.target, cmp.Or(f.err, f.Failed), now)
		targets, observations = append(targets, t), append(observations, o)
	}
	spent, err := x.quotas(ctx, st, r, now)
	if err != nil {
		return err
	}
	if err := st.Finish(ctx, r, targets, h.observed(append(observations, spent...), now)); err != nil {
		return err
	}
	x.send(ctx, st)
	return nil
}

// died returns the targets and alerts after a run that died: its lease expired before the
// run finished. All targets count as failed, since it is unknown which ones the run had
// fetched.
func (x *runner) died(h watch, r store.Run, before map[string]store.Target) ([]store.Target, store.Alerts) {
	x.env.Log.Error("died", "function", x.Name, "run", r.ID, "started", r.Started)
	if r.Trigger == "backfill" || r.Sample {
		return nil, store.Alerts{}
	}
	err := diedError(r.Started.UTC().Format("15:04 UTC on 2 January"))
	var targets []store.Target
	var observations []alert.Observation
	for _, target := range x.Targets {
		t, o := x.judge(r, before[target], target, err, r.Started)
		targets, observations = append(targets, t), append(observations, o)
	}
	return targets, h.observed(observations, x.env.Now())
}

// send sends the messages of the outbox that are due.
func (x *runner) send(ctx context.Context, st *store.Store) {
	x.notifier.Drain(ctx, st, sendTime, x.env.Now, x.env.Log)
}
