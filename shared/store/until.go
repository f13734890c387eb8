package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	maxUntil  = 10_000
	keepUntil = 24 * time.Hour // how long a date that has passed is kept, so that a click that comes again late changes nothing
)

// Kinds of an UntilDate.
const (
	Silence     = "silence"     // no message is sent for the alert until then
	Maintenance = "maintenance" // no message is sent until then for what the subject names and what depends on it
)

// UntilDate is an end that a user sets with a button. If hearth.yml has one for the same
// subject, the later end applies.
type UntilDate struct {
	Kind    string    `json:"kind"`    // Silence or Maintenance
	Subject string    `json:"subject"` // of a silence the alert's key; of maintenance device/ID, room/NAME, node/ID or bridge/ID
	Until   time.Time `json:"until"`
	Set     time.Time `json:"set"` // when the user acted
}

// SetUntil stores an end. It replaces one of the same kind and subject, unless that was set
// later. An Until that is not after Set ends it. It returns ErrFull if ten thousand are
// stored.
func (s *Store) SetUntil(ctx context.Context, u UntilDate) error {
	if u.Kind != Silence && u.Kind != Maintenance {
		return fmt.Errorf("unknown kind of end: %q", u.Kind)
	}
	return s.tx(ctx, "set the end of a "+u.Kind, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `delete from until_dates where until <= $1 and set_at <= $1 or kind = $2 and subject = $3 and set_at <= $4`,
			stamp(u.Set.Add(-keepUntil)), u.Kind, clean(u.Subject), stamp(u.Set)); err != nil {
			return err
		}
		if err := checkRoom(ctx, tx, "until_dates", maxUntil); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			insert into until_dates (kind, subject, until, set_at) values ($1, $2, $3, $4) on conflict (kind, subject) do nothing`,
			u.Kind, clean(u.Subject), stamp(later(u.Until, u.Set)), stamp(u.Set))
		return err
	})
}

// UntilDates returns the ends after now, by kind and subject.
func (s *Store) UntilDates(ctx context.Context, now time.Time) ([]UntilDate, error) {
	return query(ctx, s, "read the dates that buttons set", func(rows *sql.Rows) (u UntilDate, err error) {
		err = rows.Scan(&u.Kind, &u.Subject, scanTime{&u.Until}, scanTime{&u.Set})
		return u, err
	}, `select kind, subject, until, set_at from until_dates where until > $1 order by kind, subject`, stamp(now))
}
