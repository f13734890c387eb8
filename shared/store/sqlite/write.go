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

// group makes concurrent transactions share commits: whoever has the turn
// commits for all that wait.
type group struct {
	mu      sync.Mutex
	waiting []*part
	turn    chan struct{}
}

// part is what one caller wants of a transaction: its readings stored, then fn.
type part struct {
	rs       []reading.Reading
	fn       func(context.Context, *sql.Tx) error // may be nil
	done     chan struct{}
	err      error
	panicked any // by fn: it is its caller's
}

func (g *group) do(ctx context.Context, p *part, commit func(context.Context, []*part) error) error {
	p.done = make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	g.mu.Unlock()
	select {
	case <-p.done:
		return p.outcome()
	case <-ctx.Done():
		return g.leave(p, ctx.Err())
	case g.turn <- struct{}{}:
	}
	defer func() { <-g.turn }()
	g.mu.Lock()
	all := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	// It is not only this caller's: it must not end with this caller.
	shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeDeadline)
	defer cancel()
	if len(all) > 0 { // else the one before us took ours along
		err := commit(shared, all)
		for _, p := range all {
			if err != nil {
				p.err = err
			}
			close(p.done)
		}
	}
	<-p.done
	return p.outcome()
}

func (p *part) outcome() error {
	if p.panicked != nil {
		panic(p.panicked)
	}
	return p.err
}

// leave takes p out of the queue; one that is being committed is answered as
// it went, since saying "not stored" might be untrue.
func (g *group) leave(p *part, cause error) error {
	g.mu.Lock()
	i := slices.Index(g.waiting, p)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if i >= 0 {
		return cause
	}
	<-p.done
	return p.outcome()
}

// commit does the parts in one transaction. An error of a part's own function
// undoes that part alone and is left in it; every other error undoes all.
func (s *series) commit(ctx context.Context, all []*part) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	fresh, undone := newIDs(), 0
	for _, p := range all {
		mine := newIDs()
		mine.add(fresh)
		switch err := s.do(ctx, tx, p, mine, len(all) > 1); {
		case err != nil:
			return err
		case p.err != nil:
			undone++
		default:
			fresh = mine
		}
	}
	if undone == len(all) {
		return nil // nothing is left to commit
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.known.add(fresh) // only now are they true
	return nil
}

// do runs one part. Where others share the transaction, it can be undone alone.
func (s *series) do(ctx context.Context, tx *sql.Tx, p *part, fresh ids, shared bool) error {
	shared = shared && p.fn != nil
	if shared {
		if _, err := tx.ExecContext(ctx, `savepoint part`); err != nil {
			return err
		}
	}
	if err := put(ctx, tx, p.rs, s.known, fresh); err != nil {
		return err
	}
	if p.fn == nil {
		return nil
	}
	p.run(ctx, tx)
	if !shared {
		return nil
	}
	if p.err != nil {
		if _, err := tx.ExecContext(ctx, `rollback to part`); err != nil {
			return errors.Join(p.err, err)
		}
	}
	_, err := tx.ExecContext(ctx, `release part`)
	return err
}

func (p *part) run(ctx context.Context, tx *sql.Tx) {
	defer func() {
		if p.panicked = recover(); p.panicked != nil {
			p.err = fmt.Errorf("panic: %v", p.panicked)
		}
	}()
	p.err = p.fn(ctx, tx)
}
