package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hearth-home/hearth/shared/reading"
)

const rowsAtOnce = 50 // of one insert statement

// group makes concurrent writes share commits: whoever has the turn commits
// for all that wait.
type group struct {
	mu      sync.Mutex
	waiting []*batch
	turn    chan struct{}
}

type batch struct {
	rs   []reading.Reading
	done chan struct{}
	err  error
}

func (g *group) do(ctx context.Context, rs []reading.Reading, commit func(context.Context, []*batch) error) error {
	b := &batch{rs: rs, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, b)
	g.mu.Unlock()
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return g.leave(b, ctx.Err())
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
		for _, b := range all {
			b.err = err
			close(b.done)
		}
	}
	<-b.done
	return b.err
}

// leave takes b out of the queue; one that is being committed is answered as
// it went, since saying "not stored" might be untrue.
func (g *group) leave(b *batch, cause error) error {
	g.mu.Lock()
	i := slices.Index(g.waiting, b)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if i >= 0 {
		return fmt.Errorf("write readings: %w", cause)
	}
	<-b.done
	return b.err
}

// commit writes the batches in one transaction.
func (s *series) commit(ctx context.Context, all []*batch) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write readings: %w", err)
		}
	}()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	fresh := map[string]int64{}
	var args []any
	var put *sql.Stmt
	if put, err = tx.PrepareContext(ctx, upsert(rowsAtOnce)); err != nil {
		return err
	}
	defer put.Close()
	for _, b := range all {
		for _, r := range b.rs {
			id, err := s.id(ctx, tx, r, fresh)
			if err != nil {
				return err
			}
			args = append(args, id, r.Time.UnixNano(), numbers(r.Fields), texts(r.Text))
			if len(args) == rowsAtOnce*4 {
				if _, err := put.ExecContext(ctx, args...); err != nil {
					return err
				}
				args = args[:0]
			}
		}
	}
	if len(args) > 0 {
		if _, err := tx.ExecContext(ctx, upsert(len(args)/4), args...); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.mu.Lock()
	maps.Copy(s.ids, fresh) // only now are they true
	s.mu.Unlock()
	return nil
}

// upsert unites the values of a point, the later one winning.
func upsert(rows int) string {
	return `insert into readings (series, time, fields, texts) values (?,?,?,?)` + strings.Repeat(`,(?,?,?,?)`, rows-1) + `
		on conflict (series, time) do update set fields = json_patch(fields, excluded.fields), texts = json_patch(texts, excluded.texts)`
}

// id returns the number of r's series, writing the series if it is new.
func (s *series) id(ctx context.Context, tx *sql.Tx, r reading.Reading, fresh map[string]int64) (int64, error) {
	key := r.Series()
	s.mu.Lock()
	id, ok := s.ids[key]
	s.mu.Unlock()
	if !ok {
		id, ok = fresh[key]
	}
	if ok {
		return id, nil
	}
	err := tx.QueryRowContext(ctx, `select id from series where key = ?`, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, `insert into series (name, key, tags) values (?, ?, ?) returning id`, r.Name, key, texts(r.Tags)).Scan(&id)
	}
	fresh[key] = id
	return id, err
}

// numbers returns a JSON object. Check has refused what JSON cannot hold.
func numbers(fields map[string]float64) string {
	b := []byte{'{'}
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(b, quoted(k)...), ':')
		b = strconv.AppendFloat(b, fields[k], 'g', -1, 64)
	}
	return string(append(b, '}'))
}

func texts(m map[string]string) string {
	if len(m) == 0 {
		return "{}"
	}
	b, _ := json.Marshal(m) // strings always encode
	return string(b)
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s)
	return b
}
