package source

import (
	"context"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/notice"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	slackNews     = "news"
	slackFailures = "failures"
	slackTime     = 2 * time.Second // for what is to be told, at either end of a run
)

// finish writes the ledger and tells Slack what changed.
func (x *runner) finish(ctx context.Context, st *store.Store, r store.Run, fs []fetched) error {
	now := x.env.Now()
	before, err := st.Targets(ctx, x.Name)
	if err != nil {
		return err
	}
	var states []store.TargetState
	var changes []notice.Change
	for _, f := range fs {
		if spent, _ := isSpent(f.err, r.Started); f.skipped || r.Trigger == "backfill" || spent && r.Trigger != "cron" {
			continue // says nothing of the upstream as it is now
		}
		x.outcome(before, f.target, f.err, now, &states, &changes)
	}
	if err := st.Finish(ctx, r, states, notice.Messages(x.Name, r.ID, slackFailures, changes, now)); err != nil {
		return err
	}
	x.send(ctx, st)
	return nil
}

// died counts a run that ended without a word as a failure of all targets: which
// of them it had asked is not known.
func (x *runner) died(r store.Run, before map[string]store.TargetState) (states []store.TargetState, messages []store.Message) {
	x.env.Log.Error("died", "function", x.Name, "run", r.ID, "started", r.Started)
	if r.Trigger == "backfill" || r.Sample {
		return nil, nil
	}
	err := fmt.Errorf("the run of %s died: it ended without a word", r.Started.UTC().Format("15:04 UTC on 2 January"))
	var changes []notice.Change
	for _, target := range x.Targets {
		x.outcome(before, target, err, r.Started, &states, &changes)
	}
	return states, notice.Messages(x.Name, r.ID, slackFailures, changes, x.env.Now())
}

// outcome adds what a target's success (nil) or failure makes of its state, and
// the change to tell, if any.
func (x *runner) outcome(before map[string]store.TargetState, target string, err error, now time.Time, states *[]store.TargetState, changes *[]notice.Change) {
	var reason string
	var patience time.Duration
	if err != nil {
		reason = x.env.Secrets.Brief(err.Error(), reasonBytes)
		if x.Patience != nil {
			patience = x.Patience(err)
		}
	}
	old := before[target]
	old.Target = target
	state, change := notice.Next(old, reason, patience, now)
	if !x.slack.Configured() || x.env.Sample {
		state.Told, change = old.Told && !state.Failing.IsZero(), nil
	}
	*states = append(*states, state)
	if change != nil {
		*changes = append(*changes, *change)
	}
}

func (x *runner) send(ctx context.Context, st *store.Store) {
	if x.slack.Configured() {
		x.slack.Drain(ctx, st, slackTime, x.env.Now, x.env.Log)
	}
}
