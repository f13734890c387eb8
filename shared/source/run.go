package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

// dryRun fetches and decodes and writes nothing. Calls are counted against the
// quota all the same: the upstream counts them too.
func (x *runner) dryRun(ctx context.Context, st *store.Store, p params, now time.Time) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, x.config.fetching())
	defer cancel()
	fetched := x.fetch(ctx, st, p, x.window(p, p.From))
	a := Answer{Status: "dry_run"}
	a.show(fetched)
	return a, x.report(&a, fetched, p.strict)
}

// run is one entry of the ledger. Order of writes: items, readings, ledger; a
// failure in between is repaired by the rerun.
func (x *runner) run(ctx context.Context, st *store.Store, p params, now time.Time) (Answer, error) {
	someDied := false
	r, err := st.Begin(ctx, store.Run{Function: x.Name, Trigger: p.trigger, From: p.From, To: p.To, Started: now, Sample: x.env.Sample},
		x.config.ExecTimeout+leaseTail, func(r store.Run, before map[string]alert.TargetState) ([]alert.TargetState, []alert.Message) {
			someDied = true
			return x.died(r, before)
		})
	if errors.Is(err, store.ErrRunning) {
		return Answer{Status: "running"}, err
	}
	if err != nil {
		return Answer{}, &storeError{err}
	}
	if someDied {
		x.send(ctx, st) // now: this run may die of the same
	}
	a := Answer{Run: r.ID}
	working, cancel := context.WithTimeout(ctx, x.config.working())
	defer cancel()
	fetched, err := x.work(working, st, r, p, &a)
	if p.show {
		a.show(fetched)
	}
	if err == nil {
		err = x.report(&a, fetched, p.strict)
	}
	r.Status, r.Stored, r.Unchanged, r.Outcomes = a.Status, a.Stored, a.Unchanged, a.Targets
	if err != nil {
		r.Status, r.Error = "failed", x.env.Secrets.Brief(err.Error(), reasonBytes)
	}
	r.Took = x.env.Now().Sub(now)
	if err2 := x.finish(ctx, st, r, fetched); err2 != nil {
		return a, &storeError{errors.Join(err, err2)}
	}
	return a, err
}

// work fetches and stores step by step until the window is done or the time is
// up. It returns, for each target, its last step or the first that failed. A
// step that was cut short, or failed as a whole, is where the next call goes on: a
// failed step counts only if it is the first of the call.
func (x *runner) work(ctx context.Context, st *store.Store, r store.Run, p params, a *Answer) ([]fetched, error) {
	if p.Now() {
		if _, err := st.CloseLists(ctx, r, x.Targets); err != nil {
			return nil, storeFailed(err)
		}
	}
	// An upstream that hangs must leave the others the time to be stored.
	fetching, cancel := context.WithTimeout(ctx, x.config.fetching())
	defer cancel()
	var all []fetched
	for from := p.From; ; {
		w := x.window(p, from)
		step := x.fetch(fetching, st, p, w)
		if !from.Equal(p.From) && (allFailed(step) || fetching.Err() != nil && someFailed(step)) {
			a.Next = from.Format(time.RFC3339)
			return all, nil
		}
		if err := x.store(ctx, st, r, step, a); err != nil {
			return all, err
		}
		all = merge(all, step)
		from = w.To
		switch {
		case p.Now() || !from.Before(p.To) || allFailed(step):
			return all, nil
		case fetching.Err() != nil || x.env.Now().Sub(r.Started) > lastStep:
			a.Next = from.Format(time.RFC3339)
			return all, nil
		}
	}
}

// window is the step of the backfill that begins at from; now where there is none.
func (x *runner) window(p params, from time.Time) Window {
	if p.Now() {
		return Window{}
	}
	to := from.Add(x.Step)
	if to.After(p.To) {
		to = p.To
	}
	return Window{from, to}
}

func (x *runner) store(ctx context.Context, st *store.Store, r store.Run, step []fetched, a *Answer) error {
	if !x.env.Sample && !allFailed(step) {
		if err := dropSamples(ctx, st, x.Name); err != nil {
			return &storeError{err}
		}
	}
	var found []ingest.Checked
	for _, f := range step {
		if f.err == nil {
			found = append(found, f.checked)
		}
	}
	stored, unchanged, err := ingest.Source(ctx, st, r, found, x.tell)
	if err != nil {
		return storeFailed(err)
	}
	a.Stored, a.Unchanged = a.Stored+stored, a.Unchanged+unchanged
	return nil
}

func storeFailed(err error) error {
	if errors.Is(err, store.ErrFenced) {
		return err
	}
	return &storeError{err}
}

// dropSamples removes what the source showed before it had its key. The ledger
// rows go last: they are the sign that there is something to remove.
func dropSamples(ctx context.Context, st *store.Store, function string) error {
	if some, err := st.HasSamples(ctx, function); err != nil || !some {
		return err
	}
	if err := st.DropSamples(ctx, catalogue.Of(function)); err != nil {
		return err
	}
	_, err := st.DropSampleRows(ctx, function)
	return err
}

// tell makes the message of a changed item, keyed so that it is told once.
func (x *runner) tell(c item.Change) (alert.Message, bool) {
	if x.Tell == nil || x.env.Sample || !x.slack.Configured() {
		return alert.Message{}, false
	}
	text, ok := x.Tell(c)
	key := c.Item.Key()
	if x.TellOnce == nil || !x.TellOnce(c.Item) {
		key = fmt.Sprintf("%s/%t/%d", key, c.Opened, c.When.Unix())
	}
	return alert.Message{Key: key, Channel: slackNews, Text: x.env.Secrets.Redact(text), Created: c.When}, ok
}
