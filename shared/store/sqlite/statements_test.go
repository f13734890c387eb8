package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// counting counts how often each statement is compiled.
type counting struct {
	driver.Connector
	texts map[string]int
}

func (c counting) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return countingConn{inner.(sqliteConn), c.texts}, nil
}

type countingConn struct {
	sqliteConn
	texts map[string]int
}

func (c countingConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	c.texts[text]++
	return c.sqliteConn.PrepareContext(ctx, text)
}

func TestAStatementIsCompiledOnce(t *testing.T) {
	inner, err := sqlite.NewConnector(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]int{}
	db := sql.OpenDB(cachingConnector{Connector: counting{inner, texts}})
	db.SetMaxOpenConns(1)
	exec := func(text string, args ...any) {
		t.Helper()
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), text, args...); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	exec(`create table t (v integer); create table u (v integer)`)
	for i := range 10 {
		exec(`insert into t (v) values (?)`, i)
	}
	if n := texts[`insert into t (v) values (?)`]; n != 1 {
		t.Errorf("compiled %d times", n)
	}
	for range 2 { // a query inside the rows of the same query
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := store.Rows(t.Context(), tx, func(rows *sql.Rows) (n int, err error) {
			var v int
			if err := rows.Scan(&v); err != nil {
				return 0, err
			}
			inside, err := store.Rows(t.Context(), tx, func(rows *sql.Rows) (n int, err error) { return n, rows.Scan(&n) }, `select v from t where v >= ?`, 5)
			return len(inside), err
		}, `select v from t where v >= ?`, 2)
		if err != nil || fmt.Sprint(pairs) != "[5 5 5 5 5 5 5 5]" {
			t.Errorf("%v, %v", pairs, err)
		}
		tx.Rollback()
	}
	exec(`alter table t add column w integer`) // statements compiled before still work
	exec(`insert into t (v) values (?)`, 11)
	for i := range 300 {
		exec(fmt.Sprintf(`insert into u (v) values (%d)`, i))
	}
	exec(`insert into t (v) values (?)`, 12)
	if n := texts[`insert into t (v) values (?)`]; n != 2 {
		t.Errorf("compiled %d times, want 2: 300 other statements evicted it", n)
	}
	var n, sum int
	if err := db.QueryRowContext(t.Context(), `select (select count(*) from t), (select sum(v) from u)`).Scan(&n, &sum); err != nil || n != 12 || sum != 299*300/2 {
		t.Errorf("%d rows, sum %d, %v", n, sum, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// 3 million readings of 3 fields take 260 MB.
func TestAValueTakesLittleSpace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hearth.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	const n = 50_000
	var rs []reading.Reading
	for i := range n {
		v := float64(i/5%1000) / 10
		rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": fmt.Sprint("device-", i%5)}, Time: noon.Add(time.Duration(i/5) * 53 * time.Second),
			Fields: map[string]float64{"temperature_celsius": 15 + v/7, "humidity_percent": 40 + v/3, "co2_ppm": float64(400 + i%900)}})
		if len(rs) == 500 {
			if err := s.Write(t.Context(), rs); err != nil {
				t.Fatal(err)
			}
			rs = rs[:0]
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if most := int64(n*260/3 + 300_000); f.Size() > most {
		t.Errorf("%d bytes, %d for each reading, want at most %d", f.Size(), f.Size()/n, most)
	}
}

func TestThePageCachesAreSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hearth.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kib := func(db *sql.DB) (n int) {
		if err := db.QueryRowContext(t.Context(), `pragma cache_size`).Scan(&n); err != nil || n >= 0 {
			t.Fatal(n, err)
		}
		return -n
	}
	own := s.Series.(*series)
	if sum := kib(own.write) + readers*kib(own.read); sum > 16<<10 {
		t.Errorf("the page caches are %d KiB, want at most 16 MiB", sum)
	}
}
