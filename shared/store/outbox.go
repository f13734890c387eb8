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
	maxSent    = 20_000
)

// Due returns unsent messages that are due at now, and those that failed and wait for their
// next try, oldest first: of each destination and channel at most each. What is only shown
// on the page is never due.
func (s *Store) Due(ctx context.Context, now time.Time, each int) ([]alert.Message, error) {
	return query(ctx, s, "read the outbox", scanMessage, `
		select `+messageColumns+` from (
			select *, row_number() over (partition by destination, channel order by created, key) as n
			from outbox where sent is null and (due <= $1 or tries > 0) and not sample and destination <> 'page') m
		where n <= $2 order by created, key`, stamp(now), each)
}

// AnyDue reports whether a message is due at now.
func (s *Store) AnyDue(ctx context.Context, now time.Time) (bool, error) {
	rows, err := query(ctx, s, "look into the outbox", func(rows *sql.Rows) (key string, err error) {
		err = rows.Scan(&key)
		return key, err
	},
		`select key from outbox where sent is null and due <= $1 and not sample and destination <> 'page' limit 1`, stamp(now))
	return len(rows) > 0, err
}

const messageColumns = `key, destination, channel, what, grp, alert, text, sample, created, due, tries, attempted, step`

func scanMessage(rows *sql.Rows) (m alert.Message, err error) {
	var state sql.NullString
	err = rows.Scan(&m.Key, &m.Destination, &m.Channel, &m.What, &m.Group, &state, &m.Text, &m.Sample, scanTime{&m.Created}, scanTime{&m.Due}, &m.Tries, scanTime{&m.Attempted}, &m.Step)
	if err == nil && state.Valid {
		m.Alert = new(alert.State)
		err = json.Unmarshal([]byte(state.String), m.Alert)
	}
	return m, err
}

// GiveUp marks the unsent messages that are older than 30 days, and the oldest of more than
// 5,000, as Refuse does, and deletes sent ones that are too old or too many. It returns how
// many were given up.
func (s *Store) GiveUp(ctx context.Context, now time.Time) (n int64, err error) {
	err = s.tx(ctx, "give up old messages", func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `
			update outbox set sent = $1, reason = case reason when '' then 'it could not be sent for 30 days, or too many were waiting' else reason end
			where sent is null and (created < $2 or key in (select key from outbox where sent is null order by created desc, key desc limit 1000000 offset $3))`,
			stamp(now), stamp(now.Add(-keepUnsent)), maxUnsent)
		if err != nil {
			return err
		}
		if n, err = res.RowsAffected(); err != nil {
			return err
		}
		return pruneOutbox(ctx, tx, now)
	})
	return n, err
}

// Queued counts the messages that this process has given to the outbox: as long as it does
// not grow, there are none to send but those that wait for another try.
func (s *Store) Queued() int64 { return s.queued.Load() }

// LastSent returns when the latest message was sent to each destination and channel since a
// time. The keys are destination and channel.
func (s *Store) LastSent(ctx context.Context, since time.Time) (map[[2]string]time.Time, error) {
	type row struct {
		to   [2]string
		sent time.Time
	}
	rows, err := query(ctx, s, "read the outbox", func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.to[0], &r.to[1], scanTime{&r.sent})
		return r, err
	}, `select destination, channel, sent from outbox where sent >= $1 order by sent`, stamp(since))
	out := map[[2]string]time.Time{}
	for _, r := range rows {
		out[r.to] = r.sent
	}
	return out, err
}

// Attempt records that sending these messages begins now.
func (s *Store) Attempt(ctx context.Context, keys []string, now time.Time) error {
	return s.mark(ctx, "mark messages as attempted", `attempted = $1`, keys, stamp(now))
}

// Step records that a step of the delivery of these messages is done.
func (s *Store) Step(ctx context.Context, keys []string, step int) error {
	return s.mark(ctx, "mark a step of messages as done", `step = $1`, keys, step)
}

// Postpone counts a failed try to send messages, which are due again at next. With unknown,
// they may have arrived all the same; else they count as not attempted.
func (s *Store) Postpone(ctx context.Context, keys []string, reason string, unknown bool, next time.Time) error {
	return s.mark(ctx, "postpone messages", `tries = tries + 1, reason = $1, due = $2, attempted = case when $3 then attempted else null end`,
		keys, clean(reason), stamp(next), unknown)
}

// Missing records that messages which may have arrived did not, so that they are sent
// again.
func (s *Store) Missing(ctx context.Context, keys []string) error {
	return s.mark(ctx, "mark messages as not attempted", `attempted = $1`, keys, stamp(time.Time{}))
}

// Refuse marks messages that their destination will never accept, with the reason. They
// are not sent again, and are kept as long as sent messages.
func (s *Store) Refuse(ctx context.Context, keys []string, reason string, now time.Time) error {
	return s.mark(ctx, "mark messages as refused", `tries = tries + 1, reason = $1, sent = $2`, keys, clean(reason), stamp(now))
}

// mark changes unsent messages.
func (s *Store) mark(ctx context.Context, what, set string, keys []string, args ...any) error {
	return s.tx(ctx, what, func(ctx context.Context, tx *txn) error { return mark(ctx, tx, set, keys, args...) })
}

func mark(ctx context.Context, tx *txn, set string, keys []string, args ...any) error {
	for _, key := range keys { // a post is about 20 at most
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`update outbox set %s where key = $%d and sent is null`, set, len(args)+1), append(args[:len(args):len(args)], clean(key))...); err != nil {
			return err
		}
	}
	return nil
}

// Post is a message about an alert in Slack.
type Post struct {
	Alert   string // key
	Episode int64
	Channel string // Slack's id
	TS      string // Slack's id of the message
}

// Sent marks messages as sent and keeps which posts are about which alerts, in one
// transaction.
func (s *Store) Sent(ctx context.Context, keys []string, posts []Post, now time.Time) error {
	return s.tx(ctx, "mark messages as sent", func(ctx context.Context, tx *txn) error {
		if err := mark(ctx, tx, `sent = $1, reason = ''`, keys, stamp(now)); err != nil {
			return err
		}
		for _, p := range posts {
			if _, err := tx.ExecContext(ctx, `
				insert into alert_posts (key, episode, destination, channel, ts, posted) values ($1, $2, $3, $4, $5, $6)
				on conflict (key, episode, destination) do update set channel = excluded.channel, ts = excluded.ts, posted = excluded.posted`,
				clean(p.Alert), p.Episode, alert.ToSlack, clean(p.Channel), clean(p.TS), stamp(now)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Posts returns the latest post about each of these alerts that has one, by key.
func (s *Store) Posts(ctx context.Context, alerts []string) (map[string]Post, error) {
	out := make(map[string]Post, len(alerts))
	for chunk := range slices.Chunk(alerts, chunkRows) {
		args := make([]any, len(chunk))
		for i, k := range chunk {
			args[i] = clean(k)
		}
		posts, err := query(ctx, s, "read the posts of alerts", func(rows *sql.Rows) (p Post, err error) {
			err = rows.Scan(&p.Alert, &p.Episode, &p.Channel, &p.TS)
			return p, err
		}, `select key, episode, channel, ts from alert_posts where key in (`+(&txn{dialect: s.dialect}).params(1, len(chunk))+`) order by episode`, args...)
		if err != nil {
			return nil, err
		}
		for _, p := range posts {
			out[p.Alert] = p
		}
	}
	return out, nil
}

// Queue adds messages to the outbox, as Tx.Queue does.
func (s *Store) Queue(ctx context.Context, messages []alert.Message) error {
	return s.tx(ctx, "queue messages", func(ctx context.Context, tx *txn) error { return (&Tx{s, tx}).Queue(ctx, messages) })
}

// queue adds messages to the outbox. A message whose key is in the outbox already, sent
// or not, is ignored.
func queue(ctx context.Context, tx *txn, messages []alert.Message, now time.Time) error {
	for chunk := range slices.Chunk(messages, chunkRows) {
		args := make([]any, 0, len(chunk)*13)
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
			sent := time.Time{}
			if m.Destination == alert.ToPage || m.Sample { // it is only shown
				m.Destination, sent = alert.ToPage, m.Created
			}
			args = append(args, clean(m.Key), cmp.Or(m.Destination, alert.ToSlack), clean(string(m.Channel)), cmp.Or(string(m.What), string(alert.News)), m.Group,
				state, clean(m.Text), m.Sample, stamp(m.Created), stamp(m.Due), m.Tries, "", stamp(sent))
		}
		if _, err := tx.ExecContext(ctx, `
			insert into outbox (key, destination, channel, what, grp, alert, text, sample, created, due, tries, reason, sent) values `+tx.values(len(chunk), 13)+`
			on conflict (key) do nothing`, args...); err != nil {
			return err
		}
	}
	return nil
}

// pruneOutbox deletes messages that were sent or refused longer ago than keepSent, and the
// oldest of more than maxSent.
func pruneOutbox(ctx context.Context, tx *txn, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		delete from outbox where sent < $1 or key in (select key from outbox where sent is not null order by sent desc, key desc limit 1000000 offset $2)`,
		stamp(now.Add(-keepSent)), maxSent)
	return err
}
