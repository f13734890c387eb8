package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

const (
	keepSent   = 90 * 24 * time.Hour // how long sent messages are kept
	keepUnsent = 30 * 24 * time.Hour // how long a message is tried to be sent
	maxUnsent  = 5000
)

// Due returns unsent messages of these channels that are due at now, oldest first; without
// channels, of all. A message is not due while an older one of its channel waits for a
// retry: "works again" must not be sent before "is failing".
func (s *Store) Due(ctx context.Context, now time.Time, limit int, channels ...alert.Channel) ([]alert.Message, error) {
	args, of := []any{stamp(now), limit}, ""
	for _, c := range channels {
		args = append(args, clean(string(c)))
		of += fmt.Sprintf(", $%d", len(args))
	}
	if of != "" {
		of = " and channel in (" + of[2:] + ")"
	}
	return query(ctx, s, "read the outbox", func(rows *sql.Rows) (m alert.Message, err error) {
		var state sql.NullString
		err = rows.Scan(&m.Key, &m.Destination, &m.Channel, &m.What, &m.Group, &state, &m.Text, &m.Sample, scanTime{&m.Created}, scanTime{&m.Due}, &m.Tries, scanTime{&m.Attempted}, &m.Step)
		if err == nil && state.Valid {
			m.Alert = new(alert.State)
			err = json.Unmarshal([]byte(state.String), m.Alert)
		}
		return m, err
	}, `select key, destination, channel, what, grp, alert, text, sample, created, due, tries, attempted, step from outbox m where sent is null and due <= $1`+of+` and not exists (
			select 1 from outbox older where older.sent is null and older.due > $1 and older.channel = m.channel
				and (older.created, older.key) < (m.created, m.key))
		order by created, key limit $2`, args...)
}

// GiveUp marks the unsent messages that are older than 30 days, and the oldest of more than
// 5,000, as Refuse does. It returns how many there were.
func (s *Store) GiveUp(ctx context.Context, now time.Time) (n int64, err error) {
	return n, s.tx(ctx, "give up old messages", func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `
			update outbox set sent = $1, reason = case reason when '' then 'no function sends to this channel' else reason end
			where sent is null and (created < $2 or key in (select key from outbox where sent is null order by created desc, key desc limit 1000000 offset $3))`,
			stamp(now), stamp(now.Add(-keepUnsent)), maxUnsent)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
}

// Queued counts the messages that this process has given to the outbox: as long as it does
// not grow, there are none to send but those that wait for another try.
func (s *Store) Queued() int64 { return s.queued.Load() }

// Sent marks a message as sent.
func (s *Store) Sent(ctx context.Context, key string, now time.Time) error {
	return s.tx(ctx, "mark a message as sent", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `update outbox set sent = $2, reason = '' where key = $1 and sent is null`, clean(key), stamp(now))
		return err
	})
}

// Postpone counts a failed try to send a message. The message is due again at next.
func (s *Store) Postpone(ctx context.Context, key, reason string, next time.Time) error {
	return s.tx(ctx, "postpone a message", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `
			update outbox set tries = tries + 1, reason = $2, due = $3 where key = $1 and sent is null`,
			clean(key), clean(reason), stamp(next))
		return err
	})
}

// Refuse marks a message that Slack will never accept, with the reason. It is not sent
// again, and is kept as long as a sent message.
func (s *Store) Refuse(ctx context.Context, key, reason string, now time.Time) error {
	return s.tx(ctx, "mark a message as refused", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `
			update outbox set tries = tries + 1, reason = $2, sent = $3 where key = $1 and sent is null`,
			clean(key), clean(reason), stamp(now))
		return err
	})
}

// queue adds messages to the outbox. A message whose key is in the outbox already, sent
// or not, is ignored.
func queue(ctx context.Context, tx *txn, messages []alert.Message, now time.Time) error {
	for chunk := range slices.Chunk(messages, chunkRows) {
		args := make([]any, 0, len(chunk)*12)
		for _, m := range chunk {
			if m.Created.IsZero() {
				m.Created = now
			}
			var state *string
			if m.Alert != nil {
				text, err := encode(m.Alert)
				if err != nil {
					return err
				}
				state = &text
			}
			if m.Due.Before(m.Created) {
				m.Due = m.Created
			}
			args = append(args, clean(m.Key), cmp.Or(m.Destination, alert.ToSlack), clean(string(m.Channel)), cmp.Or(string(m.What), string(alert.News)), m.Group,
				state, clean(m.Text), m.Sample, stamp(m.Created), stamp(m.Due), m.Tries, "")
		}
		if _, err := tx.ExecContext(ctx, `
			insert into outbox (key, destination, channel, what, grp, alert, text, sample, created, due, tries, reason) values `+tx.values(len(chunk), 12)+`
			on conflict (key) do nothing`, args...); err != nil {
			return err
		}
	}
	return nil
}

// pruneOutbox deletes messages that were sent or refused longer ago than keepSent.
func pruneOutbox(ctx context.Context, tx *txn, now time.Time) error {
	_, err := tx.ExecContext(ctx, `delete from outbox where sent < $1`, stamp(now.Add(-keepSent)))
	return err
}
