package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const maxUntil = 10_000

// What a date ends.
const (
	Silence     = "silence"     // nothing is told of the alert
	Acknowledge = "acknowledge" // somebody looks after the alert: it is not told again
	Maintenance = "maintenance" // nothing is told of the device
)

// UntilDate is a date that a button sets. Where hearth.yml names one for the
// same, the later end counts.
type UntilDate struct {
	Kind    string    `json:"kind"` // Silence, Acknowledge or Maintenance
	Subject string    `json:"subject"`
	Until   time.Time `json:"until"`
	Set     time.Time `json:"set"`
}

// SetUntil sets a date, replacing the one before; one that is not after Set
// ends it. It answers ErrFull where ten thousand are set.
func (s *Store) SetUntil(ctx context.Context, u UntilDate) error {
	if u.Kind != Silence && u.Kind != Acknowledge && u.Kind != Maintenance {
		return fmt.Errorf("a date cannot end a %q", u.Kind)
	}
	return s.tx(ctx, "set the end of a "+u.Kind, func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `delete from until_dates where until <= $1 or kind = $2 and subject = $3`,
			stamp(u.Set), u.Kind, clean(u.Subject)); err != nil || !u.Until.After(u.Set) {
			return err
		}
		if err := room(ctx, tx, "until_dates", maxUntil); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			insert into until_dates (kind, subject, until, set_at) values ($1, $2, $3, $4)
			on conflict (kind, subject) do update set until = excluded.until, set_at = excluded.set_at`,
			u.Kind, clean(u.Subject), stamp(u.Until), stamp(u.Set))
		return err
	})
}

// UntilDates returns what is set and not over at now, by kind and subject.
func (s *Store) UntilDates(ctx context.Context, now time.Time) ([]UntilDate, error) {
	return query(ctx, s, "read the dates that buttons set", func(rows *sql.Rows) (u UntilDate, err error) {
		err = rows.Scan(&u.Kind, &u.Subject, scanTime{&u.Until}, scanTime{&u.Set})
		return u, err
	}, `select kind, subject, until, set_at from until_dates where until > $1 order by kind, subject`, stamp(now))
}
