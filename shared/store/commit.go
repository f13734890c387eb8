package store

import (
	"context"
	"database/sql"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/reading"
)

// Tx is a transaction of the SQL tables. It ends with the function that it was
// given to.
type Tx struct {
	s  *Store
	in *txn
}

// inOneFile is a Series in the same database as the tables. Transact stores the
// readings and what fn does in one transaction, or neither.
type inOneFile interface {
	Transact(ctx context.Context, rs []reading.Reading, fn func(context.Context, *sql.Tx) error) error
}

// Commit stores readings and what fn writes to the tables; what says what for
// in errors. With SQLite both are one transaction. With InfluxDB and PostgreSQL
// the readings are stored first: if the transaction then fails, the caller
// repeats the whole, and the readings are stored once. fn may be nil, and may
// run again after a failure of the connection; it uses nothing of the store but
// the Tx. What it returns, Commit returns wrapped, and its transaction is undone.
func (s *Store) Commit(ctx context.Context, what string, rs []reading.Reading, fn func(context.Context, *Tx) error) error {
	if fn == nil {
		fn = func(context.Context, *Tx) error { return nil }
	}
	within := func(ctx context.Context, tx *txn) error { return fn(ctx, &Tx{s, tx}) }
	if file, ok := s.Series.(inOneFile); ok {
		return s.transactIn(ctx, file, what, rs, within)
	}
	if len(rs) > 0 {
		if err := s.Write(ctx, rs); err != nil {
			return explain(what, err)
		}
	}
	return s.tx(ctx, what, within)
}

func (s *Store) transactIn(ctx context.Context, file inOneFile, what string, rs []reading.Reading, fn func(context.Context, *txn) error) error {
	ctx, cancel := context.WithTimeout(ctx, sqlDeadline)
	defer cancel()
	return explain(what, file.Transact(ctx, rs, func(ctx context.Context, tx *sql.Tx) error {
		return fn(ctx, &txn{tx, s.dialect})
	}))
}

// SaveDevices writes what a batch changes. States and news of dead letters are
// replaced only by newer ones, so that neither order nor repetition matters.
func (t *Tx) SaveDevices(ctx context.Context, c DeviceChange) error {
	return saveDevices(ctx, t.in, c)
}

// Fenced answers ErrFenced if the run's lease went to a later run. Until the
// transaction ends, no other run takes it.
func (t *Tx) Fenced(ctx context.Context, r Run) error {
	return fenced(ctx, t.in, r.Function, r.Fence)
}

// Queue adds messages to the outbox. One whose Created is zero was created now;
// a key that was ever queued is not queued again.
func (t *Tx) Queue(ctx context.Context, messages []alert.Message) error {
	if len(messages) == 0 {
		return nil
	}
	now, err := t.s.now(ctx, t.in)
	if err != nil {
		return err
	}
	return queue(ctx, t.in, messages, now)
}

// SaveTargets replaces what is remembered of these targets of a function.
func (t *Tx) SaveTargets(ctx context.Context, function string, states []alert.TargetState) error {
	return writeStates(ctx, t.in, function, states)
}
