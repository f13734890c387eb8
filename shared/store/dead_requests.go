package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	maxRequests = 1000
	handOuts    = 3                // of one request
	handPause   = 10 * time.Second // between two of them
	keepRequest = 24 * time.Hour   // that no connector has fetched
)

// What a person may ask for dead letters.
const (
	Replay = "replay"
	Drop   = "drop"
)

// DeadRequest is what a person asks a connector to do with dead letters: those
// that match all of Function, Letter, Topic and Cause, "" matching any, and
// that were dead letters at Requested.
type DeadRequest struct {
	ID        string    `json:"id"`
	Action    string    `json:"action"` // Replay or Drop
	Function  string    `json:"function,omitempty"`
	Letter    string    `json:"letter,omitempty"` // id of one
	Topic     string    `json:"topic,omitempty"`  // MQTT filter
	Cause     string    `json:"cause,omitempty"`  // the whole reason
	Requested time.Time `json:"requested"`
}

// AddDeadRequest keeps a request for TakeDeadRequests; one without an ID gets
// one, one whose ID is known is the same request. It answers ErrFull where a
// thousand wait, and refuses another action and a drop of all there are, which no
// connector does unasked. Requests that nobody fetched for a day are deleted.
func (s *Store) AddDeadRequest(ctx context.Context, r DeadRequest) error {
	if r.Action != Replay && r.Action != Drop {
		return fmt.Errorf("a request for dead letters cannot be %q", r.Action)
	}
	if r.Action == Drop && clean(r.Function+r.Letter+r.Topic+r.Cause) == "" {
		return errors.New("a request to drop dead letters needs a function, a letter, a topic or a cause")
	}
	if r.ID == "" {
		r.ID = rand.Text()
	}
	return s.tx(ctx, "keep a request for dead letters", func(ctx context.Context, tx *txn) error {
		now, err := s.now(ctx, tx)
		if err != nil {
			return err
		}
		if r.Requested.Before(now) {
			now = r.Requested
		} // else its clock is ahead, and must not age the others
		if _, err := tx.ExecContext(ctx, `delete from dead_requests where requested < $1`, stamp(now.Add(-keepRequest))); err != nil {
			return err
		}
		if err := room(ctx, tx, "dead_requests", maxRequests); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			insert into dead_requests (id, function, action, letter, topic, cause, requested) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (id) do nothing`,
			clean(r.ID), clean(r.Function), r.Action, clean(r.Letter), clean(r.Topic), clean(r.Cause), stamp(r.Requested))
		return err
	})
}

// room answers ErrFull where a table has as many rows as it may have.
func room(ctx context.Context, tx *txn, table string, most int) error {
	var n int
	if err := tx.QueryRowContext(ctx, `select count(*) from `+table).Scan(&n); err != nil {
		return err
	}
	if n >= most {
		return fmt.Errorf("%s: %w: %d rows", table, ErrFull, n)
	}
	return nil
}

// TakeDeadRequests returns the oldest requests for the dead letters of these
// functions (none named: of all), to hand to a connector in an answer.
//
// An answer may be lost, and nothing says that it arrived. So a request is
// handed out three times, at least ten seconds apart, and deleted with the
// third. That is harmless, because a request names its time: what became a dead
// letter after it is not meant, so that a second drop finds nothing, and a
// second replay repeats only what failed again, which the store takes once.
func (s *Store) TakeDeadRequests(ctx context.Context, functions []string, now time.Time, limit int) ([]DeadRequest, error) {
	where, args := ` where (handed is null or handed <= $1)`, []any{stamp(now.Add(-handPause))}
	if len(functions) > 0 {
		t := &txn{dialect: s.dialect}
		where += ` and function in ('', ` + t.params(2, len(functions)) + `)`
		for _, f := range functions {
			args = append(args, clean(f))
		}
	}
	// Nearly always there are none: no transaction for that.
	if some, err := query(ctx, s, "look for requests for dead letters", scanRequest, dueRequests+where+` limit 1`, args...); len(some) == 0 {
		return nil, err
	}
	var out []DeadRequest
	err := s.tx(ctx, "take requests for dead letters", func(ctx context.Context, tx *txn) (err error) {
		if err := lockRequests(ctx, tx); err != nil {
			return err
		}
		out, err = queryIn(ctx, tx, scanRequest, dueRequests+where+fmt.Sprintf(` order by requested, id limit %d`, limit), args...)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(out, chunkRows) {
			if err := handOut(ctx, tx, some, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

const dueRequests = `select id, function, action, letter, topic, cause, requested from dead_requests`

func scanRequest(rows *sql.Rows) (r DeadRequest, err error) {
	err = rows.Scan(&r.ID, &r.Function, &r.Action, &r.Letter, &r.Topic, &r.Cause, scanTime{&r.Requested})
	return r, err
}

// lockRequests keeps replicas from handing out the same at once.
func lockRequests(ctx context.Context, tx *txn) error {
	if tx.dialect != Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock(hashtext('hearth dead requests'))`)
	return err
}

func handOut(ctx context.Context, tx *txn, rs []DeadRequest, now time.Time) error {
	if len(rs) == 0 {
		return nil
	}
	args := make([]any, len(rs), len(rs)+1)
	for i, r := range rs {
		args[i] = r.ID
	}
	in := ` where id in (` + tx.params(1, len(rs)) + `)`
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`delete from dead_requests%s and times >= %d`, in, handOuts-1), args...); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `update dead_requests set times = times + 1, handed = `+tx.params(1, 1)+
		` where id in (`+tx.params(2, len(rs))+`)`, append([]any{stamp(now)}, args...)...)
	return err
}
