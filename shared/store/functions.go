package store

import (
	"context"
	"database/sql"
	"time"
)

const maxFunctions = 200

// Function is a function's description of itself.
type Function struct {
	Name       string        `json:"name"`
	Schedule   string        `json:"schedule,omitempty"` // cron expression; "": not scheduled
	Period     time.Duration `json:"period"`             // between two runs, in whole seconds; 0: not scheduled
	Version    string        `json:"version"`
	Configured bool          `json:"configured"` // false: its key is missing
	LastSeen   time.Time     `json:"last_seen"`
}

// SaveFunction stores a function's description of itself, unless the store has one
// that is newer by LastSeen. Only the 200 functions seen last are kept.
func (s *Store) SaveFunction(ctx context.Context, f Function) error {
	return s.tx(ctx, "store the function "+f.Name, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `
			insert into functions (name, schedule, period_seconds, version, configured, last_seen) values ($1, $2, $3, $4, $5, $6)
			on conflict (name) do update set schedule = excluded.schedule, period_seconds = excluded.period_seconds,
				version = excluded.version, configured = excluded.configured, last_seen = excluded.last_seen
			where excluded.last_seen >= functions.last_seen`,
			clean(f.Name), clean(f.Schedule), int64(f.Period/time.Second), clean(f.Version), f.Configured, stamp(f.LastSeen)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			delete from functions where name not in (select name from functions order by last_seen desc, name limit $1)`, maxFunctions)
		return err
	})
}

// Functions returns the stored functions, by name.
func (s *Store) Functions(ctx context.Context) ([]Function, error) {
	return query(ctx, s, "read the functions", func(rows *sql.Rows) (f Function, err error) {
		var seconds int64
		err = rows.Scan(&f.Name, &f.Schedule, &seconds, &f.Version, &f.Configured, scanTime{&f.LastSeen})
		f.Period = time.Duration(seconds) * time.Second
		return f, err
	}, `select name, schedule, period_seconds, version, configured, last_seen from functions order by name`)
}

// ForgetFunction deletes the description of a removed function and reports whether
// there was one. A function that still runs stores its description again.
func (s *Store) ForgetFunction(ctx context.Context, name string) (known bool, err error) {
	err = s.tx(ctx, "forget the function "+name, func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `delete from functions where name = $1`, clean(name))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		known = n > 0
		return err
	})
	return known, err
}
