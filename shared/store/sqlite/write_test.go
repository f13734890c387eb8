package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

func opened(t *testing.T) (*store.Store, *series) {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, s.Series.(*series)
}

// Calls that arrive during a commit wait, and share the next transaction.
func TestCallsAtTheSameTimeShareACommit(t *testing.T) {
	_, s := opened(t)
	s.group.lock <- struct{}{} // another call commits
	var all sync.WaitGroup
	most := 0
	for range 20 {
		all.Go(func() {
			err := s.Transact(t.Context(), nil, func(ctx context.Context, tx *sql.Tx) error {
				var within, outside int
				if _, err := tx.ExecContext(ctx, `insert into quotas (key, window_start, used, used_scheduled) select hex(randomblob(8)), 0, 1, 0`); err != nil {
					return err
				}
				if err := tx.QueryRowContext(ctx, `select count(*) from quotas`).Scan(&within); err != nil {
					return err
				}
				if err := s.read.QueryRowContext(ctx, `select count(*) from quotas`).Scan(&outside); err != nil {
					return err
				}
				if outside == 0 {
					most = max(most, within) // no data race: the calls of a transaction run one after the other
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	waiting := func() int {
		s.group.mu.Lock()
		defer s.group.mu.Unlock()
		return len(s.group.waiting)
	}
	for waiting() < 20 {
		runtime.Gosched()
	}
	<-s.group.lock
	all.Wait()
	if most != 20 {
		t.Errorf("%d rows in one transaction, want 20", most)
	}
}

// A long range is deleted in several transactions.
func TestALongRangeIsDeletedCompletely(t *testing.T) {
	s, _ := opened(t)
	const n = 2*deleteBatch + 500
	rs := make([]reading.Reading, n)
	for i := range rs {
		rs[i] = reading.Reading{Name: "air", Fields: map[string]float64{"v": float64(i)}, Time: noon.Add(time.Duration(i) * time.Second)}
		if i%2 == 0 {
			rs[i].Text = map[string]string{"t": "x"}
		}
	}
	if err := s.Write(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteRange(t.Context(), "air", nil, rs[3].Time, rs[n-2].Time); err != nil {
		t.Fatal(err)
	}
	left, err := s.Between(t.Context(), "air", nil, noon, noon.AddDate(1, 0, 0))
	if err != nil || len(left) != 5 {
		t.Fatalf("%d left, %v, want 5", len(left), err)
	}
	for i, at := range []int{0, 1, 2, n - 2, n - 1} {
		if left[i].Line() != rs[at].Line() {
			t.Errorf("%s, want %s", left[i].Line(), rs[at].Line())
		}
	}
}
