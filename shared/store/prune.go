package store

import (
	"context"
	"database/sql"
	"time"
)

// Prune deletes the rows of the ledger and the sent messages that are older than 90 days,
// also those of functions that do not run any more.
func (s *Store) Prune(ctx context.Context, now time.Time) error {
	return s.tx(ctx, "delete old rows", func(ctx context.Context, tx *txn) error {
		if err := pruneOutbox(ctx, tx, now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `delete from runs where started < $1`, stamp(now.Add(-keepRuns)))
		return err
	})
}

// LastFinished returns the newest run for now of each function that has ended by itself, by
// the function's name. Backfills do not count.
func (s *Store) LastFinished(ctx context.Context) (map[string]Run, error) {
	runs, err := query(ctx, s, "read the last runs", scanRun, `
		select `+runColumns+` from runs where id in (
			select (select id from runs r where r.function = f.name and r.started_by <> 'backfill' and r.status not in ('running', 'died')
				order by r.started desc, r.fence desc limit 1)
			from functions f)`)
	out := make(map[string]Run, len(runs))
	for _, r := range runs {
		out[r.Function] = r
	}
	return out, err
}

// LastGood returns when the newest run for now of a function started, not after a time, that
// fetched everything or a part of it; zero if there is none.
func (s *Store) LastGood(ctx context.Context, function string, at time.Time) (started time.Time, err error) {
	found, err := query(ctx, s, "read the last good run of "+function, func(rows *sql.Rows) (t time.Time, err error) { return t, rows.Scan(scanTime{&t}) }, `
		select started from runs where function = $1 and started <= $2 and started_by <> 'backfill' and status in ('ok', 'partial')
		order by started desc limit 1`, function, stamp(at))
	if len(found) > 0 {
		started = found[0]
	}
	return started, err
}

// RanBy reports whether a run that was no backfill started at a time or before. Runs are kept
// for 90 days.
func (s *Store) RanBy(ctx context.Context, at time.Time) (bool, error) {
	found, err := query(ctx, s, "read the first run", func(rows *sql.Rows) (one int, err error) { return one, rows.Scan(&one) },
		`select 1 from runs where started <= $1 and started_by <> 'backfill' limit 1`, stamp(at))
	return len(found) > 0, err
}

// OldestUnsent returns since when the oldest unsent message to one of these destinations
// waits; zero: none does. A message that has to wait for a time waits since then.
func (s *Store) OldestUnsent(ctx context.Context, destinations []string) (since time.Time, err error) {
	for _, d := range destinations {
		scan := func(rows *sql.Rows) (at time.Time, err error) {
			var due, created time.Time
			var tries int
			if err = rows.Scan(scanTime{&due}, scanTime{&created}, &tries); tries == 0 {
				return due, err
			}
			return created, err
		}
		times, err := query(ctx, s, "read the outbox", scan,
			`select due, created, tries from outbox where sent is null and not sample and destination = $1 order by case when tries = 0 then due else created end limit 1`, d)
		if err != nil {
			return since, err
		}
		if len(times) > 0 && (since.IsZero() || times[0].Before(since)) {
			since = times[0]
		}
	}
	return since, nil
}
