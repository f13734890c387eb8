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
	maxRequests   = 1000
	deliveries    = 3                // of each request
	deliveryPause = 10 * time.Second // between two deliveries of a request
	keepRequest   = 24 * time.Hour   // if no connector fetches it
)

// Actions of a DeadRequest.
const (
	Replay = "replay"
	Drop   = "drop"
)

// DeadRequest is a user's request to a connector to replay or drop dead letters. It
// applies to the letters that match all of Function, Letter, Topic and Cause (""
// matches any) and that were dead letters at Requested.
type DeadRequest struct {
	ID        string    `json:"id"`
	Action    string    `json:"action"` // Replay or Drop
	Function  string    `json:"function,omitempty"`
	Letter    string    `json:"letter,omitempty"` // id of one letter
	Topic     string    `json:"topic,omitempty"`  // MQTT filter
	Cause     string    `json:"cause,omitempty"`  // the whole reason
	Requested time.Time `json:"requested"`
}

// AddDeadRequest stores a request for TakeDeadRequests. An empty ID is replaced by a
// random one; a request whose ID is known is ignored. Errors: an unknown action, a drop
// without any filter, and ErrFull if a thousand requests wait. Requests that no
// connector has fetched for a day are deleted.
func (s *Store) AddDeadRequest(ctx context.Context, r DeadRequest) error {
	if r.Action != Replay && r.Action != Drop {
		return fmt.Errorf("unknown action %q for dead letters", r.Action)
	}
	if r.Action == Drop && clean(r.Function+r.Letter+r.Topic+r.Cause) == "" {
		return errors.New("a request to drop dead letters needs a function, a letter, a topic or a cause")
	}
	if r.ID == "" {
		r.ID = rand.Text()
	}
	return s.tx(ctx, "store a request for dead letters", func(ctx context.Context, tx *txn) error {
		now, err := s.now(ctx, tx)
		if err != nil {
			return err
		}
		if r.Requested.Before(now) {
			now = r.Requested
		} // a request whose clock is ahead must not make the others a day old
		if _, err := tx.ExecContext(ctx, `delete from dead_requests where requested < $1`, stamp(now.Add(-keepRequest))); err != nil {
			return err
		}
		if err := checkRoom(ctx, tx, "dead_requests", maxRequests); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			insert into dead_requests (id, function, action, letter, topic, cause, requested) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (id) do nothing`,
			clean(r.ID), clean(r.Function), r.Action, clean(r.Letter), clean(r.Topic), clean(r.Cause), stamp(r.Requested))
		return err
	})
}

// checkRoom returns ErrFull if a table has most rows or more.
func checkRoom(ctx context.Context, tx *txn, table string, most int) error {
	var n int
	if err := tx.QueryRowContext(ctx, `select count(*) from `+table).Scan(&n); err != nil {
		return err
	}
	if n >= most {
		return fmt.Errorf("%w: %s has %d rows", ErrFull, table, n)
	}
	return nil
}

// TakeDeadRequests returns the oldest requests for the dead letters of these functions
// (of all functions, if none is named). The caller sends them to a connector in the
// answer to a batch.
//
// The connector does not confirm that it got the answer. So each request is returned
// three times, at least ten seconds apart, and then deleted. Repeating a request is
// harmless, because it covers only letters that were dead at Requested. A second drop
// finds none of them. A second replay delivers only messages that have failed again,
// and storing a message is idempotent.
func (s *Store) TakeDeadRequests(ctx context.Context, functions []string, now time.Time, limit int) ([]DeadRequest, error) {
	where, args := ` where (handed is null or handed <= $1)`, []any{stamp(now.Add(-deliveryPause))}
	if len(functions) > 0 {
		t := &txn{dialect: s.dialect}
		where += ` and function in ('', ` + t.params(2, len(functions)) + `)`
		for _, f := range functions {
			args = append(args, clean(f))
		}
	}
	// Usually there are no requests. Then this needs no write transaction.
	if due, err := query(ctx, s, "look for requests for dead letters", scanRequest, selectRequests+where+` limit 1`, args...); len(due) == 0 {
		return nil, err
	}
	var out []DeadRequest
	err := s.tx(ctx, "take requests for dead letters", func(ctx context.Context, tx *txn) (err error) {
		if err := lockRequests(ctx, tx); err != nil {
			return err
		}
		out, err = Rows(ctx, tx, scanRequest, selectRequests+where+fmt.Sprintf(` order by requested, id limit %d`, limit), args...)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(out, chunkRows) {
			if err := noteDelivery(ctx, tx, chunk, now); err != nil {
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

const selectRequests = `select id, function, action, letter, topic, cause, requested from dead_requests`

func scanRequest(rows *sql.Rows) (r DeadRequest, err error) {
	err = rows.Scan(&r.ID, &r.Function, &r.Action, &r.Letter, &r.Topic, &r.Cause, scanTime{&r.Requested})
	return r, err
}

// lockRequests keeps replicas from taking the same requests at the same time.
func lockRequests(ctx context.Context, tx *txn) error {
	if tx.dialect != Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock(hashtext('hearth dead requests'))`)
	return err
}

// noteDelivery counts a delivery of these requests and deletes those that have had all
// their deliveries.
func noteDelivery(ctx context.Context, tx *txn, rs []DeadRequest, now time.Time) error {
	if len(rs) == 0 {
		return nil
	}
	args := make([]any, len(rs), len(rs)+1)
	for i, r := range rs {
		args[i] = r.ID
	}
	in := ` where id in (` + tx.params(1, len(rs)) + `)`
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`delete from dead_requests%s and times >= %d`, in, deliveries-1), args...); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `update dead_requests set times = times + 1, handed = `+tx.params(1, 1)+
		` where id in (`+tx.params(2, len(rs))+`)`, append([]any{stamp(now)}, args...)...)
	return err
}
