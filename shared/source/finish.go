package source

import (
	"context"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
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
	var outcomes []alert.Outcome
	for _, f := range fs {
		if spent, _ := isSpent(f.err, r.Started); f.skipped || r.Trigger == "backfill" || spent && r.Trigger != "cron" {
			continue // says nothing of the upstream as it is now
		}
		outcomes = append(outcomes, x.outcome(f.target, f.err))
	}
	states, messages := x.alerts(r).Targets(before, outcomes, now, now)
	if err := st.Finish(ctx, r, states, messages); err != nil {
		return err
	}
	x.send(ctx, st)
	return nil
}

// died counts a run that ended without a word as a failure of all targets: which
// of them it had asked is not known.
func (x *runner) died(r store.Run, before map[string]alert.TargetState) ([]alert.TargetState, []alert.Message) {
	x.env.Log.Error("died", "function", x.Name, "run", r.ID, "started", r.Started)
	if r.Trigger == "backfill" || r.Sample {
		return nil, nil
	}
	err := fmt.Errorf("the run of %s died: it ended without a word", r.Started.UTC().Format("15:04 UTC on 2 January"))
	var outcomes []alert.Outcome
	for _, target := range x.Targets {
		outcomes = append(outcomes, x.outcome(target, err))
	}
	return x.alerts(r).Targets(before, outcomes, r.Started, x.env.Now())
}

func (x *runner) alerts(r store.Run) alert.Run {
	return alert.Run{Function: x.Name, ID: r.ID, Channel: slackFailures, Mute: !x.slack.Configured() || x.env.Sample}
}

// outcome is how a run ended for a target: it worked if err is nil.
func (x *runner) outcome(target string, err error) alert.Outcome {
	o := alert.Outcome{Target: target}
	if err == nil {
		return o
	}
	o.Reason = x.env.Secrets.Brief(err.Error(), reasonBytes)
	if x.Patience != nil {
		o.Patience = x.Patience(err)
	}
	return o
}

func (x *runner) send(ctx context.Context, st *store.Store) {
	if x.slack.Configured() {
		x.slack.Drain(ctx, st, slackTime, x.env.Now, x.env.Log)
	}
}
