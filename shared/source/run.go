package source

import (
	"context"
	"errors"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/store"
)

// dryRun fetches and decodes but writes nothing. Its requests still count
// against the quota, because the upstream counts them.
func (x *runner) dryRun(ctx context.Context, st *store.Store, p params) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, x.config.fetching())
	defer cancel()
	results := x.fetch(ctx, st, p, x.window(p, p.From))
	a := Answer{Status: "dry_run"}
	a.show(results)
	return a, x.report(&a, results, p)
}

// run makes one run and records it in the ledger. It writes items first, then
// readings, then the ledger. A rerun repairs a failure between two of them.
func (x *runner) run(ctx context.Context, st *store.Store, p params, now time.Time) (Answer, error) {
	h, err := x.watch(ctx, st)
	if err != nil {
		return Answer{}, &storeError{err}
	}
	foundDead := false // an earlier run died: its lease expired before it finished
	r, err := st.Begin(ctx, store.Run{Function: x.Name, Trigger: p.trigger, From: p.From, To: p.To, Started: now, Sample: x.env.Sample},
		x.config.ExecTimeout+leaseMargin, func(r store.Run, before map[string]store.Target) ([]store.Target, store.Alerts) {
			foundDead = true
			return x.died(h, r, before)
		})
	if errors.Is(err, store.ErrRunning) {
		return Answer{Status: "running"}, err
	}
	if err != nil {
		return Answer{}, &storeError{err}
	}
	if foundDead {
		x.send(ctx, st) // before the fetch, since this run may die for the same reason
	}
	a := Answer{Run: r.ID}
	working, cancel := context.WithTimeout(ctx, x.config.working())
	defer cancel()
	results, err := x.work(working, st, h, r, p, &a)
	if p.show {
		a.show(results)
	}
	if err == nil {
		err = x.report(&a, results, p)
	}
	r.Status, r.Stored, r.Unchanged, r.Outcomes = a.Status, a.Stored, a.Unchanged, a.Targets
	if err != nil {
		r.Status, r.Error = "failed", x.env.Secrets.Brief(err.Error(), reasonBytes)
	}
	r.Took = x.env.Now().Sub(now)
	if finishErr := x.finish(ctx, st, h, r, results); finishErr != nil {
		return a, &storeError{errors.Join(err, finishErr)}
	}
	return a, err
}

// work fetches and stores step by step until the window is complete or the time
// is up. A run for now has a single step. It returns one result per target: the
// sum of its steps, with the first error of the target.
//
// A step that failed for all targets or was cut short by the deadline is not
// stored: a.Next makes the next call begin with it. Only the first step of a call
// is stored and reported even if it failed; else the call would make no progress
// and report no error.
func (x *runner) work(ctx context.Context, st *store.Store, h watch, r store.Run, p params, a *Answer) ([]result, error) {
	if p.Now() {
		if err := x.closeLists(ctx, st, h, r); err != nil {
			return nil, storeFailed(err)
		}
	}
	// An upstream that hangs must leave time to store the other targets.
	fetching, cancel := context.WithTimeout(ctx, x.config.fetching())
	defer cancel()
	var all []result
	for from := p.From; ; {
		w := x.window(p, from)
		step := x.fetch(fetching, st, p, w)
		cutShort := fetching.Err() != nil && someFailed(step)
		if first := from.Equal(p.From); !first && (allFailed(step) || cutShort) {
			a.Next = from.Format(time.RFC3339)
			return all, nil
		}
		if err := x.store(ctx, st, h, r, step, a); err != nil {
			return all, err
		}
		all = merge(all, step)
		from = w.To
		switch {
		case p.Now() || !from.Before(p.To) || allFailed(step):
			return all, nil
		case fetching.Err() != nil || x.env.Now().Sub(r.Started) > lastStepStart:
			a.Next = from.Format(time.RFC3339)
			return all, nil
		}
	}
}

// window returns the step of the backfill that begins at from. It is the zero
// Window for a run for now.
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

// store stores the targets of a step that succeeded and adds to a's counts.
func (x *runner) store(ctx context.Context, st *store.Store, h watch, r store.Run, step []result, a *Answer) error {
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
	stored, unchanged, err := ingest.SaveRun(ctx, st, r, found, x.changed(h, r), &ingest.Watch{House: h.House, Rules: h.rules})
	if err != nil {
		return storeFailed(err)
	}
	a.Stored, a.Unchanged = a.Stored+stored, a.Unchanged+unchanged
	return nil
}

// storeFailed marks an error as our store's failure, unless this run has lost its
// lease to another.
func storeFailed(err error) error {
	if errors.Is(err, store.ErrFenced) {
		return err
	}
	return &storeError{err}
}

// dropSamples removes the sample data that was stored before the source had its
// key. The ledger's sample rows are removed last, because HasSamples looks for
// them: a removal that fails half-way is then repeated.
func dropSamples(ctx context.Context, st *store.Store, function string) error {
	if has, err := st.HasSamples(ctx, function); err != nil || !has {
		return err
	}
	if err := st.DropSamples(ctx, catalogue.Of(function)); err != nil {
		return err
	}
	_, err := st.DropSampleRows(ctx, function)
	return err
}
