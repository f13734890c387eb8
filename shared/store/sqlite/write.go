package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hearth-home/hearth/shared/reading"
)

// group makes concurrent calls share commits: the call that holds lock commits all
// waiting calls in one transaction.
type group struct {
	mu      sync.Mutex // guards waiting
	waiting []*call
	lock    chan struct{} // the sender holds it
}

// call is one caller's share of a transaction: store rs and rollups, then run fn.
type call struct {
	rs       []reading.Reading
	rollups  *rollups                             // may be nil
	fn       func(context.Context, *sql.Tx) error // may be nil
	done     chan struct{}                        // closed when the call is committed or has failed
	err      error
	panicked any // the value that fn panicked with: its own caller panics with it
}

// do commits c, together with all calls that wait at the same time. If ctx ends before
// the commit begins, c is withdrawn.
func (g *group) do(ctx context.Context, c *call, commit func(context.Context, []*call) error) error {
	c.done = make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, c)
	g.mu.Unlock()
	select {
	case <-c.done: // another caller has committed c
		return c.outcome()
	case <-ctx.Done():
		return g.withdraw(c, ctx.Err())
	case g.lock <- struct{}{}:
		defer func() { <-g.lock }()
		g.commitWaiting(ctx, commit)
	}
	<-c.done // closed by commitWaiting, here or in the caller that held lock before
	return c.outcome()
}

// commitWaiting commits the waiting calls, if any. The caller holds lock.
func (g *group) commitWaiting(ctx context.Context, commit func(context.Context, []*call) error) {
	g.mu.Lock()
	all := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	if len(all) == 0 {
		return
	}
	// The commit serves other callers too, so it does not end with this caller's ctx.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeDeadline)
	defer cancel()
	err := commit(ctx, all)
	for _, c := range all {
		if err != nil {
			c.err = err
		}
		close(c.done)
	}
}

// outcome returns the call's error, or panics as fn did.
func (c *call) outcome() error {
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.err
}

// withdraw removes c from the waiting calls and returns cause. If the commit of c has
// begun, it returns the commit's result instead.
func (g *group) withdraw(c *call, cause error) error {
	g.mu.Lock()
	i := slices.Index(g.waiting, c)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if i >= 0 {
		return cause
	}
	<-c.done
	return c.outcome()
}

// commit runs the calls in one transaction. If a call's fn fails, only that call is
// undone, and its err is set. Every other error undoes all calls and is returned.
func (s *series) commit(ctx context.Context, all []*call) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	fresh, undone := newIDs(), 0
	for _, c := range all {
		withCall := newIDs()
		withCall.add(fresh)
		switch err := s.runCall(ctx, tx, c, withCall, len(all) > 1); {
		case err != nil:
			return err
		case c.err != nil:
			undone++
		default:
			fresh = withCall
		}
	}
	if undone == len(all) {
		return nil // nothing is left to commit
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.known.add(fresh) // a rollback would make these ids invalid, so not before the commit
	return nil
}

// runCall runs one call. If the transaction is shared and the call has a fn, it runs
// under a savepoint, so that an error of fn undoes only this call.
func (s *series) runCall(ctx context.Context, tx *sql.Tx, c *call, fresh ids, shared bool) error {
	savepoint := shared && c.fn != nil
	if savepoint {
		if _, err := tx.ExecContext(ctx, `savepoint one_call`); err != nil {
			return err
		}
	}
	if err := put(ctx, tx, c.rs, s.known, fresh); err != nil {
		return err
	}
	if c.rollups != nil {
		if err := putRollups(ctx, tx, c.rollups, s.known, fresh); err != nil {
			return err
		}
	}
	if c.fn == nil {
		return nil
	}
	c.runFn(ctx, tx)
	if !savepoint {
		return nil
	}
	if c.err != nil {
		if _, err := tx.ExecContext(ctx, `rollback to one_call`); err != nil {
			return errors.Join(c.err, err)
		}
	}
	_, err := tx.ExecContext(ctx, `release one_call`)
	return err
}

// runFn runs fn and stores its error, or the value it panicked with.
func (c *call) runFn(ctx context.Context, tx *sql.Tx) {
	defer func() {
		if c.panicked = recover(); c.panicked != nil {
			c.err = fmt.Errorf("panic: %v", c.panicked)
		}
	}()
	c.err = c.fn(ctx, tx)
}
