package store

import (
	"context"
	"database/sql"
	"time"
)

// Take counts n calls against the quota, all or none. It returns a SpentError if
// they do not fit. Scheduled calls may use the whole limit. Other calls leave the
// part of Reserve that scheduled calls have not used yet.
func (s *Store) Take(ctx context.Context, q Quota, n int, scheduled bool, now time.Time) error {
	start := windowStart(now, q.Window)
	spent := &SpentError{Key: q.Key, Until: start.Add(q.Window)}
	reserve, ofScheduled := max(q.Reserve, 0), 0
	if scheduled {
		reserve, ofScheduled = 0, n
	}
	if n+reserve > q.Limit {
		return spent
	}
	return s.tx(ctx, "count against the quota of "+q.Key, func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `
			insert into quotas (key, window_start, used, used_scheduled) values ($1, $2, $3, $4)
			on conflict (key, window_start) do update
			set used = quotas.used + excluded.used, used_scheduled = quotas.used_scheduled + excluded.used_scheduled
			where quotas.used + excluded.used
				+ case when quotas.used_scheduled < cast($5 as bigint) then cast($5 as bigint) - quotas.used_scheduled else 0 end
				<= cast($6 as bigint)`,
			q.Key, stamp(start), n, ofScheduled, reserve, q.Limit)
		if err != nil {
			return err
		}
		if rows, err := res.RowsAffected(); err != nil || rows == 0 {
			if err == nil {
				err = spent
			}
			return err
		}
		_, err = tx.ExecContext(ctx, `delete from quotas where key = $1 and window_start < $2`, q.Key, stamp(start.Add(-q.Window)))
		return err
	})
}

// Used returns how many calls were counted against a quota in the window of now, and when
// that window ends.
func (s *Store) Used(ctx context.Context, q Quota, now time.Time) (calls int, until time.Time, err error) {
	start := windowStart(now, q.Window)
	scan := func(rows *sql.Rows) (n int, err error) { err = rows.Scan(&n); return n, err }
	used, err := query(ctx, s, "read the quota of "+q.Key, scan, `select used from quotas where key = $1 and window_start = $2`, q.Key, stamp(start))
	for _, n := range used {
		calls = n
	}
	return calls, start.Add(q.Window), err
}

// The keys in the table quotas of what is no quota: window_start is when the pause of a host
// ends, or when a target had its turn.
const (
	holdPrefix = "pause of "
	turnPrefix = "turn of "

	keepNotes = 30 * 24 * time.Hour // how long these rows stay
)

// Hold records that a host asked for no request before until. A later time stays.
func (s *Store) Hold(ctx context.Context, host string, until time.Time) error {
	return s.latest(ctx, holdPrefix, clean(host), until)
}

// Turn records that a function fetched a target and failed, so that others come first.
// A later time stays.
func (s *Store) Turn(ctx context.Context, function, target string, at time.Time) error {
	return s.latest(ctx, turnPrefix, clean(function)+"/"+clean(target), at)
}

// latest records a time under a key, unless a later one is there. It deletes what is older
// than keepNotes under keys of the same prefix: hosts and targets that are no longer asked.
func (s *Store) latest(ctx context.Context, prefix, name string, at time.Time) error {
	key := prefix + name
	return s.tx(ctx, "note the "+key, func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `insert into quotas (key, window_start, used, used_scheduled) values ($1, $2, 1, 0) on conflict (key, window_start) do nothing`, key, stamp(at))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `delete from quotas where key = $1 and window_start < $2 or substr(key, 1, $3) = $4 and window_start < $5`,
			key, stamp(at), len(prefix), prefix, stamp(at.Add(-keepNotes)))
		return err
	})
}

// Turns returns the times of Turn by target.
func (s *Store) Turns(ctx context.Context, function string) (map[string]time.Time, error) {
	type turn struct {
		key string
		at  time.Time
	}
	scan := func(rows *sql.Rows) (t turn, err error) { return t, rows.Scan(&t.key, scanTime{&t.at}) }
	prefix := turnPrefix + clean(function) + "/"
	all, err := query(ctx, s, "read the turns of "+function, scan, `select key, window_start from quotas where substr(key, 1, $1) = $2 order by window_start`, len(prefix), prefix)
	turns := map[string]time.Time{}
	for _, t := range all {
		turns[t.key[len(prefix):]] = t.at
	}
	return turns, err
}

// HeldUntil returns the latest time of Hold for a host, the zero time if there is none.
func (s *Store) HeldUntil(ctx context.Context, host string) (until time.Time, err error) {
	scan := func(rows *sql.Rows) (at time.Time, err error) { return at, rows.Scan(scanTime{&at}) }
	ends, err := query(ctx, s, "read the pause of "+host, scan, `select window_start from quotas where key = $1`, holdPrefix+clean(host))
	for _, at := range ends {
		if at.After(until) {
			until = at
		}
	}
	return until, err
}

// windowStart returns the start of the window of length w that contains now.
func windowStart(now time.Time, w time.Duration) time.Time {
	if w <= 0 {
		return time.Unix(0, 0).UTC()
	}
	past := now.UnixNano() % int64(w)
	return now.Add(-time.Duration(past)).UTC()
}
