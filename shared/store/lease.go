package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Lease takes the named lease for ttl and returns its fence; ErrRunning while
// someone holds it.
func (s *Store) Lease(ctx context.Context, name, owner string, ttl time.Duration) (fence int64, err error) {
	err = s.tx(ctx, "take the lease "+name, func(ctx context.Context, tx *txn) error {
		fence, _, err = s.grant(ctx, tx, name, owner, ttl)
		return err
	})
	return fence, err
}

// Release gives the lease back if fence still holds it.
func (s *Store) Release(ctx context.Context, name string, fence int64) error {
	return s.tx(ctx, "release the lease "+name, func(ctx context.Context, tx *txn) error {
		return release(ctx, tx, name, fence)
	})
}

// grant takes a lease that is free or has expired. One statement decides, so
// that of many at once exactly one wins.
func (s *Store) grant(ctx context.Context, tx *txn, name, owner string, ttl time.Duration) (fence int64, now time.Time, err error) {
	if now, err = s.now(ctx, tx); err != nil {
		return 0, now, err
	}
	err = tx.QueryRowContext(ctx, `
		insert into leases (name, owner, fence, expires) values ($1, $2, 1, $3)
		on conflict (name) do update set owner = excluded.owner, fence = leases.fence + 1, expires = excluded.expires
		where leases.expires is null or leases.expires <= $4
		returning fence`,
		name, owner, stamp(now.Add(ttl)), stamp(now)).Scan(&fence)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrRunning
	}
	return fence, now, err
}

func release(ctx context.Context, tx *txn, name string, fence int64) error {
	_, err := tx.ExecContext(ctx, `update leases set owner = '', expires = null where name = $1 and fence = $2`, name, fence)
	return err
}

// fenced answers ErrFenced if the lease went to a later run. It locks the row,
// so that this stays true until the transaction ends.
func fenced(ctx context.Context, tx *txn, name string, fence int64) error {
	res, err := tx.ExecContext(ctx, `update leases set fence = fence where name = $1 and fence = $2`, name, fence)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return ErrFenced
}
