package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

const keepSent = 90 * 24 * time.Hour // for whoever asks what Slack was told

// Due returns unsent messages whose time has come, oldest first. None comes
// before an older one of its channel that waits for another try: "works again"
// must not be told before "is failing".
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]alert.Message, error) {
	return query(ctx, s, "read the outbox", func(rows *sql.Rows) (m alert.Message, err error) {
		err = rows.Scan(&m.Key, &m.Channel, &m.Text, scanTime{&m.Created}, &m.Tries)
		return m, err
	}, `select key, channel, text, created, tries from outbox m where sent is null and due <= $1 and not exists (
			select 1 from outbox older where older.sent is null and older.due > $1 and older.channel = m.channel
				and (older.created, older.key) < (m.created, m.key))
		order by created, key limit $2`,
		stamp(now), limit)
}

// Sent marks a message as sent.
func (s *Store) Sent(ctx context.Context, key string, now time.Time) error {
	return s.tx(ctx, "mark a message as sent", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `update outbox set sent = $2, reason = '' where key = $1 and sent is null`, clean(key), stamp(now))
		return err
	})
}

// Postpone counts a failed try and keeps the message until next.
func (s *Store) Postpone(ctx context.Context, key, reason string, next time.Time) error {
	return s.tx(ctx, "postpone a message", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `
			update outbox set tries = tries + 1, reason = $2, due = $3 where key = $1 and sent is null`,
			clean(key), clean(reason), stamp(next))
		return err
	})
}

// Refuse takes out a message that Slack will never take. It is kept, with the
// reason, as long as one that was sent.
func (s *Store) Refuse(ctx context.Context, key, reason string, now time.Time) error {
	return s.tx(ctx, "take a message out", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `
			update outbox set tries = tries + 1, reason = $2, sent = $3 where key = $1 and sent is null`,
			clean(key), clean(reason), stamp(now))
		return err
	})
}

// queue writes messages to the outbox. A key that was ever queued is not queued
// again.
func queue(ctx context.Context, tx *txn, messages []alert.Message, now time.Time) error {
	for some := range slices.Chunk(messages, chunkRows) {
		args := make([]any, 0, len(some)*7)
		for _, m := range some {
			if m.Created.IsZero() {
				m.Created = now
			}
			args = append(args, clean(m.Key), clean(m.Channel), clean(m.Text), stamp(m.Created), stamp(m.Created), m.Tries, "")
		}
		if _, err := tx.ExecContext(ctx, `
			insert into outbox (key, channel, text, created, due, tries, reason) values `+tx.values(len(some), 7)+`
			on conflict (key) do nothing`, args...); err != nil {
			return err
		}
	}
	return nil
}

func pruneOutbox(ctx context.Context, tx *txn, now time.Time) error {
	_, err := tx.ExecContext(ctx, `delete from outbox where sent < $1`, stamp(now.Add(-keepSent)))
	return err
}
