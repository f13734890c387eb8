package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Lease takes the named lease for ttl and returns its fence, a number that grows with
// each holder. It returns ErrRunning while another holds the lease.
func (s *Store) Lease(ctx context.Context, name, owner string, ttl time.Duration) (fence int64, err error) {
	err = s.tx(ctx, "take the lease "+name, func(ctx context.Context, tx *txn) error {
		fence, _, err = s.takeLease(ctx, tx, name, owner, ttl)
		return err
	})
	return fence, err
}

// Release releases the lease. It does nothing if the lease has a later fence.
func (s *Store) Release(ctx context.Context, name string, fence int64) error {
	return s.tx(ctx, "release the lease "+name, func(ctx context.Context, tx *txn) error {
		return release(ctx, tx, name, fence)
	})
}

// takeLease takes a lease that is free or has expired. It is a single statement, so
// exactly one of several concurrent calls succeeds. now is the store's clock.
func (s *Store) takeLease(ctx context.Context, tx *txn, name, owner string, ttl time.Duration) (fence int64, now time.Time, err error) {
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

// fenced returns ErrFenced if the lease has a later fence. Otherwise it locks the row:
// nobody can take the lease until the transaction ends.
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
