package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

const runColumns = `id, function, started_by, window_from, window_to, started, took_us, status, stored, unchanged, error, outcomes, sample, fence`

// Begin takes the function's lease for ttl and stores the run with status running. It
// sets ID (if empty), Started (if zero), Status and Fence. It returns ErrRunning while
// another run holds the lease. If the last run's lease has expired, Begin sets that
// run's status to died, and stores the targets and changes the alerts that died returns in
// the same transaction: no other call would report the run. died may be nil. It may be
// called again if the transaction is repeated.
func (s *Store) Begin(ctx context.Context, r Run, ttl time.Duration, died Died) (Run, error) {
	if r.ID == "" {
		r.ID = rand.Text()
	}
	began := r
	err := s.tx(ctx, "begin a run of "+r.Function, func(ctx context.Context, tx *txn) error {
		began = r
		fence, now, err := s.takeLease(ctx, tx, r.Function, r.ID, ttl)
		if err != nil {
			return err
		}
		if began.Started.IsZero() {
			began.Started = now
		}
		began.Started = micros(began.Started)
		began.Status, began.Fence = "running", fence
		if err := closeDied(ctx, &Tx{s, tx}, r.Function, died); err != nil {
			return err
		}
		return writeRun(ctx, tx, began)
	})
	return began, err
}

// Died returns the targets to store and the alerts to change for a run that did not
// finish. before has the function's stored targets, by name.
type Died func(r Run, before map[string]Target) ([]Target, Alerts)

// closeDied sets the status of the function's running runs to died. The caller has taken
// the lease, so they have lost theirs.
func closeDied(ctx context.Context, t *Tx, function string, died Died) error {
	tx := t.in
	runs, err := Rows(ctx, tx, func(rows *sql.Rows) (r Run, err error) {
		err = rows.Scan(&r.ID, &r.Function, &r.Trigger, scanTime{&r.Started}, &r.Sample)
		return r, err
	}, `select id, function, started_by, started, sample from runs where function = $1 and status = 'running'`, function)
	if err != nil || len(runs) == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		update runs set status = 'died', error = 'the run did not finish before its lease expired'
		where function = $1 and status = 'running'`, function); err != nil || died == nil {
		return err
	}
	for _, r := range runs {
		before, err := Rows(ctx, tx, scanTarget, targetsOf, function)
		if err != nil {
			return err
		}
		targets, alerts := died(r, byName(before))
		if err := t.saveTargets(ctx, function, targets); err != nil {
			return err
		}
		if err := t.MoveAlerts(ctx, alerts.Keys, alerts.Move); err != nil {
			return err
		}
	}
	return nil
}

const keepRuns = 90 * 24 * time.Hour // how long the runs of a function that still runs are kept

// Finish stores the run's result and these targets, changes the alerts and releases the
// lease, in one transaction. It returns ErrFenced and writes nothing if a later run has
// taken the lease.
func (s *Store) Finish(ctx context.Context, r Run, targets []Target, alerts Alerts) error {
	return s.tx(ctx, "finish a run of "+r.Function, func(ctx context.Context, tx *txn) error {
		in := &Tx{s, tx}
		if err := in.Fenced(ctx, r); err != nil {
			return err
		}
		if err := writeRun(ctx, tx, r); err != nil {
			return err
		}
		if err := in.saveTargets(ctx, r.Function, targets); err != nil {
			return err
		}
		if err := in.MoveAlerts(ctx, alerts.Keys, alerts.Move); err != nil {
			return err
		}
		now := r.Started.Add(r.Took)
		if err := pruneOutbox(ctx, tx, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `delete from runs where function = $1 and started < $2`, r.Function, stamp(now.Add(-keepRuns))); err != nil {
			return err
		}
		return release(ctx, tx, r.Function, r.Fence)
	})
}

// Targets returns the stored targets of a function, by name.
func (s *Store) Targets(ctx context.Context, function string) (map[string]Target, error) {
	targets, err := query(ctx, s, "read the targets of "+function, scanTarget, targetsOf, function)
	return byName(targets), err
}

const targetsOf = `select target, failing, reason, last_ok from targets where function = $1`

func scanTarget(rows *sql.Rows) (t Target, err error) {
	err = rows.Scan(&t.Name, scanTime{&t.Failing}, &t.Reason, scanTime{&t.LastOK})
	return t, err
}

func byName(targets []Target) map[string]Target {
	out := make(map[string]Target, len(targets))
	for _, t := range targets {
		out[t.Name] = t
	}
	return out
}

// Runs returns the newest runs of a function ("" means of all), newest first.
func (s *Store) Runs(ctx context.Context, function string, limit int) ([]Run, error) {
	text := `select ` + runColumns + ` from runs`
	order := ` order by started desc, fence desc limit $1`
	if function == "" {
		return query(ctx, s, "read the runs", scanRun, text+order, limit)
	}
	return query(ctx, s, "read the runs of "+function, scanRun, text+` where function = $2`+order, limit, function)
}

// LastRuns returns the newest run of each of these functions, by the function's name. A
// function without runs is left out.
func (s *Store) LastRuns(ctx context.Context, functions []string) (map[string]Run, error) {
	out := make(map[string]Run, len(functions))
	newest, args := make([]string, len(functions)), make([]any, len(functions))
	for i, name := range functions {
		newest[i] = fmt.Sprintf(`(select id from runs where function = $%d order by started desc, fence desc limit 1)`, i+1)
		args[i] = name
	}
	if len(functions) == 0 {
		return out, nil
	}
	runs, err := query(ctx, s, "read the last runs", scanRun, `select `+runColumns+` from runs where id in (`+strings.Join(newest, ", ")+`)`, args...)
	for _, r := range runs {
		out[r.Function] = r
	}
	return out, err
}

func scanRun(rows *sql.Rows) (r Run, err error) {
	var us int64
	err = rows.Scan(&r.ID, &r.Function, &r.Trigger, scanTime{&r.From}, scanTime{&r.To}, scanTime{&r.Started}, &us, &r.Status,
		&r.Stored, &r.Unchanged, &r.Error, scanJSON[[]Outcome]{&r.Outcomes}, &r.Sample, &r.Fence)
	r.Took = time.Duration(us) * time.Microsecond
	return r, err
}

func writeRun(ctx context.Context, tx *txn, r Run) error {
	outcomes := make([]Outcome, len(r.Outcomes)) // never null
	for i, o := range r.Outcomes {
		o.Target, o.Error = clean(o.Target), clean(o.Error)
		outcomes[i] = o
	}
	text, err := encode(outcomes)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		insert into runs (id, function, started_by, window_from, window_to, started, took_us, status, stored,
			unchanged, error, outcomes, sample, fence)
		values (`+tx.params(1, 14)+`)
		on conflict (id) do update set took_us = excluded.took_us, status = excluded.status, stored = excluded.stored,
			unchanged = excluded.unchanged, error = excluded.error, outcomes = excluded.outcomes, sample = excluded.sample,
			window_from = excluded.window_from, window_to = excluded.window_to, started_by = excluded.started_by`,
		r.ID, r.Function, r.Trigger, stamp(r.From), stamp(r.To), stamp(r.Started), r.Took.Microseconds(), r.Status, r.Stored,
		r.Unchanged, clean(r.Error), text, r.Sample, r.Fence)
	return err
}

// saveTargets replaces these targets of a function.
func (t *Tx) saveTargets(ctx context.Context, function string, targets []Target) error {
	for _, of := range targets {
		if _, err := t.in.ExecContext(ctx, `
			insert into targets (function, target, failing, reason, last_ok) values ($1, $2, $3, $4, $5)
			on conflict (function, target) do update set failing = excluded.failing, reason = excluded.reason, last_ok = excluded.last_ok`,
			function, clean(of.Name), stamp(of.Failing), clean(of.Reason), stamp(of.LastOK)); err != nil {
			return err
		}
	}
	return nil
}
