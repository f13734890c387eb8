package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const maxUntil = 10_000

// Kinds of an UntilDate.
const (
	Silence     = "silence"     // no message is sent for the alert until then
	Acknowledge = "acknowledge" // a user takes care of the alert: it is not repeated until then
	Maintenance = "maintenance" // no message is sent for the device until then
)

// UntilDate is an end that a user sets with a button. If hearth.yml has one for the same
// subject, the later end applies.
type UntilDate struct {
	Kind    string    `json:"kind"`    // Silence, Acknowledge or Maintenance
	Subject string    `json:"subject"` // key of an alert, or id of a device
	Until   time.Time `json:"until"`
	Set     time.Time `json:"set"`
}

// SetUntil stores an end and replaces an earlier one of the same kind and subject. If
// Until is not after Set, it only deletes the earlier one. It returns ErrFull if ten
// thousand are stored.
func (s *Store) SetUntil(ctx context.Context, u UntilDate) error {
	if u.Kind != Silence && u.Kind != Acknowledge && u.Kind != Maintenance {
		return fmt.Errorf("unknown kind of end: %q", u.Kind)
	}
	return s.tx(ctx, "set the end of a "+u.Kind, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `delete from until_dates where until <= $1 or kind = $2 and subject = $3`,
			stamp(u.Set), u.Kind, clean(u.Subject)); err != nil || !u.Until.After(u.Set) {
			return err
		}
		if err := checkRoom(ctx, tx, "until_dates", maxUntil); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			insert into until_dates (kind, subject, until, set_at) values ($1, $2, $3, $4)
			on conflict (kind, subject) do update set until = excluded.until, set_at = excluded.set_at`,
			u.Kind, clean(u.Subject), stamp(u.Until), stamp(u.Set))
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
