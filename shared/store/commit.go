package store

import (
	"context"
	"database/sql"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/reading"
)

// Tx is a transaction of the SQL tables. It must not be used after the function that
// got it has returned.
type Tx struct {
	s  *Store
	in *txn
}

// transactor is a Series in the same database as the SQL tables. Transact stores rs and
// runs fn in one transaction.
type transactor interface {
	Transact(ctx context.Context, rs []reading.Reading, fn func(context.Context, *sql.Tx) error) error
}

// Commit stores the readings of b and runs fn, which writes to the SQL tables. On SQLite
// both are one transaction. With InfluxDB and PostgreSQL the readings are stored first; if
// the transaction then fails, the caller calls Commit again, which is idempotent. An
// error of fn undoes its transaction, and Commit returns it wrapped. fn may be nil. It
// may run again after a lost connection. fn must use only the Tx, not the Store. what
// names the operation in errors.
func (s *Store) Commit(ctx context.Context, what string, b Batch, fn func(context.Context, *Tx) error) error {
	b, err := s.divide(ctx, b)
	if err != nil {
		return explain(what, err)
	}
	within := func(ctx context.Context, tx *txn) error {
		if err := b.mark(ctx, tx); err != nil || fn == nil {
			return err
		}
		return fn(ctx, &Tx{s, tx})
	}
	if t, ok := s.Series.(transactor); ok {
		return s.transactIn(ctx, t, what, b.unwritten(), within)
	}
	if err := s.writeAll(ctx, b.unwritten()); err != nil {
		return explain(what, err)
	}
	return s.tx(ctx, what, within)
}

// transactIn runs fn and stores rs in one transaction of t.
func (s *Store) transactIn(ctx context.Context, t transactor, what string, rs []reading.Reading, fn func(context.Context, *txn) error) error {
	ctx, cancel := context.WithTimeout(ctx, sqlDeadline)
	defer cancel()
	return explain(what, t.Transact(ctx, rs, func(ctx context.Context, tx *sql.Tx) error {
		return fn(ctx, &txn{tx, s.dialect})
	}))
}

// SaveDevices writes the changes of a batch. A newer state is never replaced by an
// older one, nor is a newer report of a dead letter. So batches may come in any order
// and more than once.
func (t *Tx) SaveDevices(ctx context.Context, c DeviceChange) error {
	return saveDevices(ctx, t.in, c)
}

// Fenced returns ErrFenced if a later run has taken the lease of r. Otherwise no other
// run can take the lease until the transaction ends.
func (t *Tx) Fenced(ctx context.Context, r Run) error {
	return fenced(ctx, t.in, r.Function, r.Fence)
}

// Queue adds messages to the outbox. A message whose key is in the outbox already, sent
// or not, is ignored. A zero Created becomes the current time.
func (t *Tx) Queue(ctx context.Context, messages []alert.Message) error {
	if len(messages) == 0 {
		return nil
	}
	t.s.queued.Add(int64(len(messages)))
	now, err := t.s.now(ctx, t.in)
	if err != nil {
		return err
	}
	return queue(ctx, t.in, messages, now)
}
