package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

const (
	keepAlerts = 7 * 24 * time.Hour // how long an alert that is over is kept
	maxPosts   = 20_000             // most posts about alerts in Slack; the oldest are forgotten
	maxAlerts  = 10_000             // most alerts that are over; the oldest are deleted
)

// ErrMoved is returned by Tx.SaveAlerts if another process has changed an alert since it
// was read.
var ErrMoved = errors.New("the alert was changed by another process")

// Move computes what becomes of alerts: from their states by key, where one that the
// store does not have is the zero State, it returns those that changed and the messages
// about them. It may be called again if the transaction is repeated.
type Move func(before map[string]alert.State) (changed []alert.State, messages []alert.Message)

// Alerts is a change of alerts within a transaction: Move is called with the states of
// those with these keys. The zero Alerts changes none.
type Alerts struct {
	Keys []string
	Move Move
}

// Observed returns the change of alerts by observations, at now. An observation that a
// condition does not hold changes nothing if its alert is not active.
func Observed(h *alert.House, observations []alert.Observation, now time.Time) Alerts {
	keys := make([]string, len(observations))
	for i, o := range observations {
		keys[i] = o.Key
	}
	return Alerts{keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		bad := map[string]bool{} // in these observations
		var news []alert.Observation
		for _, o := range observations {
			s := before[o.Key]
			if bad[o.Key] = bad[o.Key] || o.Verdict == alert.Bad; bad[o.Key] || s.Active() {
				news = append(news, o)
			}
		}
		return h.Move(before, news, now)
	}}
}

// Unwatched returns the change that ends alerts whose target, device or rule is gone, for
// the reason why. The messages of the same group are sent as one.
func Unwatched(h *alert.House, alerts []alert.State, why, group string, now time.Time) Alerts {
	keys := make([]string, len(alerts))
	for i, a := range alerts {
		keys[i] = a.Key
	}
	return Alerts{keys, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
		var active []alert.State
		for _, key := range keys {
			if s := before[key]; s.Active() {
				active = append(active, s)
			}
		}
		changed, messages := h.Unwatch(active, why, now)
		for i := range messages {
			messages[i].Group = group
		}
		return changed, messages
	}}
}

// MoveAlerts reads the alerts with these keys, writes what move returns, and queues its
// messages, in one transaction. Transactions that move alerts run one after the other.
func (s *Store) MoveAlerts(ctx context.Context, keys []string, move Move) error {
	return s.tx(ctx, "change alerts", func(ctx context.Context, tx *txn) error {
		return (&Tx{s, tx}).MoveAlerts(ctx, keys, move)
	})
}

// MoveAlerts does what Store.MoveAlerts does, within a transaction. It must come before
// SaveDevices, so that transactions lock in the same order.
func (t *Tx) MoveAlerts(ctx context.Context, keys []string, move Move) error {
	if len(keys) == 0 {
		return nil
	}
	if t.in.dialect == Postgres {
		if _, err := t.in.ExecContext(ctx, `select pg_advisory_xact_lock(hashtext('hearth alerts'))`); err != nil {
			return err
		}
	}
	before := make(map[string]alert.State, len(keys))
	for chunk := range slices.Chunk(keys, chunkRows) {
		args := make([]any, len(chunk))
		for i, k := range chunk {
			args[i] = clean(k)
		}
		states, err := Rows(ctx, t.in, scanAlert, `select state, version from alerts where key in (`+t.in.params(1, len(chunk))+`)`, args...)
		if err != nil {
			return err
		}
		for _, a := range states {
			before[a.Key] = a
		}
	}
	changed, messages := move(before)
	if err := t.saveAlerts(ctx, changed); err != nil {
		return err
	}
	return t.Queue(ctx, messages)
}

// saveAlerts writes alerts. It returns ErrMoved if the store has another version of one.
func (t *Tx) saveAlerts(ctx context.Context, states []alert.State) error {
	now, err := t.s.now(ctx, t.in)
	if err != nil {
		return err
	}
	for _, a := range states {
		state, err := encode(a)
		if err != nil {
			return err
		}
		res, err := t.in.ExecContext(ctx, `
			insert into alerts (key, version, active, updated, state) values ($1, $2, $3, $4, $5)
			on conflict (key) do update set version = excluded.version, active = excluded.active, updated = excluded.updated, state = excluded.state
			where alerts.version = $6`, clean(a.Key), a.Version+1, a.Active(), stamp(now), clean(state), a.Version)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, ErrMoved)
		}
	}
	return nil
}

// ActiveAlerts returns the alerts that are open or pending, or whose end is not told
// yet, by key.
func (s *Store) ActiveAlerts(ctx context.Context) ([]alert.State, error) {
	return query(ctx, s, "read the alerts", scanAlert, `select state, version from alerts where active order by key`)
}

// AlertsSince returns the alerts that are active, and those that are over and were changed at
// since or later, the newest first; at most limit of each.
func (s *Store) AlertsSince(ctx context.Context, since time.Time, limit int) ([]alert.State, error) {
	active, err := query(ctx, s, "read the alerts", scanAlert, `select state, version from alerts where active order by updated desc, key limit $1`, limit)
	if err != nil {
		return nil, err
	}
	over, err := query(ctx, s, "read the alerts", scanAlert, `select state, version from alerts where not active and updated >= $1 order by updated desc, key limit $2`, stamp(since), limit)
	return append(active, over...), err
}

// Alerts returns the alerts that are active, and then those that were over last, at most
// limit.
func (s *Store) Alerts(ctx context.Context, limit int) ([]alert.State, error) {
	return query(ctx, s, "read the alerts", scanAlert, `select state, version from alerts order by active desc, updated desc, key limit $1`, limit)
}

// AlertsOf returns the alerts with these keys that the store has.
func (s *Store) AlertsOf(ctx context.Context, keys []string) (map[string]alert.State, error) {
	out := make(map[string]alert.State, len(keys))
	for chunk := range slices.Chunk(keys, chunkRows) {
		args := make([]any, len(chunk))
		for i, k := range chunk {
			args[i] = clean(k)
		}
		in := (&txn{dialect: s.dialect}).params(1, len(chunk))
		states, err := query(ctx, s, "read alerts", scanAlert, `select state, version from alerts where key in (`+in+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, a := range states {
			out[a.Key] = a
		}
	}
	return out, nil
}

// AlertsOfPost returns the alerts that a message in Slack is about, by key, and of each the
// episode. channel and ts are Slack's ids of the message.
func (s *Store) AlertsOfPost(ctx context.Context, channel, ts string) (map[string]int64, error) {
	type row struct {
		key     string
		episode int64
	}
	rows, err := query(ctx, s, "read the alerts of a post", func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.key, &r.episode)
		return r, err
	}, `select key, episode from alert_posts where channel = $1 and ts = $2`, clean(channel), clean(ts))
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.key] = max(out[r.key], r.episode)
	}
	return out, err
}

// PruneAlerts deletes alerts that have been over for a week, and the oldest that are
// over of more than 10,000, with their posts. Of more than 20,000 posts it forgets the
// oldest.
func (s *Store) PruneAlerts(ctx context.Context, now time.Time) error {
	return s.tx(ctx, "delete alerts that are over", func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `
			delete from alerts where not active and (updated < $1 or key in
				(select key from alerts where not active order by updated desc, key limit 1000000 offset $2))`,
			stamp(now.Add(-keepAlerts)), maxAlerts); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			delete from alert_posts where posted < $1 and key not in (select key from alerts) or (key, episode) in
				(select key, episode from alert_posts order by posted desc, key limit 1000000 offset $2)`, stamp(now.Add(-keepAlerts)), maxPosts)
		return err
	})
}

func scanAlert(rows *sql.Rows) (a alert.State, err error) {
	var version int64
	err = rows.Scan(scanJSON[alert.State]{&a}, &version)
	a.Version = version
	return a, err
}
