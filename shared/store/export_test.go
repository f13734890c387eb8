package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// OpenInflux returns a Series that stores readings in InfluxDB.
var OpenInflux = openInflux

// SaveTargets replaces targets.
func (t *Tx) SaveTargets(ctx context.Context, function string, targets []Target) error {
	return t.saveTargets(ctx, function, targets)
}

// CountQuotaRows returns the number of rows in the table.
func (s *Store) CountQuotaRows(t *testing.T) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `select count(*) from quotas`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// CountItems returns the number of rows, including closed items.
func (s *Store) CountItems(t *testing.T) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `select count(*) from items`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// CountRows returns the number of rows in a table.
func (s *Store) CountRows(t *testing.T, table string) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `select count(*) from `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// FoldLateBeyond is FoldLate with another most.
func (s *Store) FoldLateBeyond(ctx context.Context, before time.Time, most int) (int, error) {
	return s.foldLate(ctx, before, most)
}

// DeleteLate deletes late values.
func (s *Store) DeleteLate(ctx context.Context, name string, tags map[string]string) error {
	return s.deleteLate(ctx, name, tags, earliest, latest)
}

// Version returns the number of applied migrations.
func (s *Store) Version(t *testing.T) int {
	t.Helper()
	v, err := version(t.Context(), s.read)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// CountDeadLetters returns the number of rows, including replayed and dropped letters.
func (s *Store) CountDeadLetters(t *testing.T) (n int) {
	t.Helper()
	if err := s.read.QueryRowContext(t.Context(), `select count(*) from dead_letters`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Explain returns the database's plan for a query, with table scans disabled.
func (s *Store) Explain(t *testing.T, text string) string {
	t.Helper()
	tx, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	explain := `explain query plan `
	if s.dialect == Postgres {
		explain = `explain `
		if _, err := tx.ExecContext(t.Context(), `set local enable_seqscan = off`); err != nil { // a small table is always scanned
			t.Fatal(err)
		}
	}
	rows, err := tx.QueryContext(t.Context(), explain+text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var out []string
	for rows.Next() {
		line := make([]any, len(columns))
		for i := range line {
			line[i] = new(any)
		}
		if err := rows.Scan(line...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(*line[len(line)-1].(*any)))
	}
	return strings.Join(out, "; ")
}

// TaskDays returns the rows of the view tasks: "id age idle".
func (s *Store) TaskDays(t *testing.T) []string {
	t.Helper()
	out, err := Rows(t.Context(), s.read, func(rows *sql.Rows) (string, error) {
		var id string
		var age float64
		var idle sql.NullFloat64
		err := rows.Scan(&id, &age, &idle)
		if !idle.Valid {
			return fmt.Sprintf("%s %.1f -", id, age), err
		}
		return fmt.Sprintf("%s %.1f %.1f", id, age, idle.Float64), err
	}, `select id, age_days, idle_days from tasks order by id`)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Exec runs a statement, for a test that needs a damaged database.
func (s *Store) Exec(t *testing.T, text string) {
	t.Helper()
	if _, err := s.write.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// Numbered checks the names and first lines of migration files.
func Numbered(dir fs.FS) error {
	_, err := numbered(dir)
	return err
}

// OneFile reports whether readings and tables are in one database.
func (s *Store) OneFile() bool {
	_, ok := s.Series.(transactor)
	return ok
}

// With returns the store with other series.
func (s *Store) With(series Series) *Store { return New(series, s.read, s.write, s.dialect) }

// MakeDirty makes hours dirty.
func (s *Store) MakeDirty(ctx context.Context, name string, hours []time.Time) error {
	return s.tx(ctx, "dirty", func(ctx context.Context, tx *txn) error { return tx.makeDirty(ctx, name, hours) })
}
