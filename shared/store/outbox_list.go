package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// Queued is a message of the outbox and what has become of it.
type Queued struct {
	alert.Message
	Sent   time.Time // when it was sent or given up; zero: neither
	Reason string    // why it could not be sent last; of one that was given up why
}

// Outbox returns the latest messages, sent or not, the newest first.
func (s *Store) Outbox(ctx context.Context, limit int) ([]Queued, error) {
	return query(ctx, s, "read the outbox", scanQueued, `select `+queuedColumns+` from outbox order by created desc, key desc limit $1`, limit)
}

// AlertAt returns an alert as the latest message about it up to the time at shows it; nil if
// there is none.
func (s *Store) AlertAt(ctx context.Context, key string, at time.Time) (*alert.State, error) {
	from := clean(key) + "#"
	found, err := query(ctx, s, "read what was told of an alert", scanQueued, `select `+queuedColumns+` from outbox
		where substr(key, 1, $2) = $1 and alert is not null and created <= $3 order by created desc, key desc limit 1`, from, len([]rune(from)), stamp(at))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].Alert, nil
}

const queuedColumns = `key, destination, channel, what, grp, alert, text, sample, created, due, tries, attempted, step, sent, reason`

func scanQueued(rows *sql.Rows) (q Queued, err error) {
	var state sql.NullString
	m := &q.Message
	err = rows.Scan(&m.Key, &m.Destination, &m.Channel, &m.What, &m.Group, &state, &m.Text, &m.Sample, scanTime{&m.Created}, scanTime{&m.Due}, &m.Tries, scanTime{&m.Attempted}, &m.Step,
		scanTime{&q.Sent}, &q.Reason)
	if err == nil && state.Valid {
		m.Alert = new(alert.State)
		err = json.Unmarshal([]byte(state.String), m.Alert)
	}
	return q, err
}
