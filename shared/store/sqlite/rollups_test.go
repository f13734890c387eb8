package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// dayOf returns the readings of a day of one device: one each 30 seconds.
func dayOf(day int) []reading.Reading {
	rs := make([]reading.Reading, 0, 2880)
	for i := range cap(rs) {
		rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": "a"}, Fields: map[string]float64{"co2_ppm": float64(i), "humidity_percent": float64(i) / 7},
			Time: noon.AddDate(0, 0, day).Add(time.Duration(i) * 30 * time.Second)})
	}
	return rs
}

// pages returns how many pages the file has, with those that are free.
func pages(t *testing.T, s *series) (n int) {
	t.Helper()
	if err := s.write.QueryRowContext(t.Context(), `select page_count from pragma_page_count`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// When each day the oldest one is deleted, the file stops growing.
func TestDeletedRowsMakeRoomForNewOnes(t *testing.T) {
	st, s := opened(t)
	fine := func(day int) store.RollupSeries {
		r := store.RollupSeries{Tags: map[string]string{"device": "a"}, Field: "co2_ppm"}
		for i := range 288 {
			r.Rows = append(r.Rows, store.Rollup{Start: noon.AddDate(0, 0, day).Add(time.Duration(i) * store.FiveMinutes), Sum: 1, Count: 1})
		}
		return r
	}
	var full int
	for day := range 40 {
		if err := st.Write(t.Context(), dayOf(day)); err != nil {
			t.Fatal(err)
		}
		if err := st.WriteRollups(t.Context(), store.FiveMinutes, "air", []store.RollupSeries{fine(day)}); err != nil {
			t.Fatal(err)
		}
		if day < 14 {
			full = pages(t, s)
			continue
		}
		from, to := noon.AddDate(0, 0, day-14), noon.AddDate(0, 0, day-13)
		if err := st.DeleteRange(t.Context(), "air", nil, from, to); err != nil {
			t.Fatal(err)
		}
		if err := st.DeleteRollups(t.Context(), store.FiveMinutes, "air", nil, from, to); err != nil {
			t.Fatal(err)
		}
	}
	if size := pages(t, s); size > full*120/100 {
		t.Errorf("%d pages after 40 days of which 14 are kept, and %d after 14", size, full)
	}
}

// A file of the version before roll-ups gets their tables, and its readings are not
// written again.
func TestAFileOfBeforeRollupsIsMigratedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hearth.db")
	db, err := sql.Open("sqlite", path+"?_pragma=page_size(1024)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	oldSchema(t, db, 15)
	for _, text := range []string{
		`insert into series (id, name, key, tags) values (1, 'air', 'air,device=a', '{"device":"a"}')`,
		`insert into fields (id, series, name, is_text) values (1, 1, 'co2_ppm', false)`,
		fmt.Sprintf(`with recursive n(i) as (select 0 union all select i + 1 from n where i < 199999) insert into points select 1, %d + i * 1000000000, i from n`, noon.UnixNano()),
		`pragma wal_checkpoint(truncate)`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() > old.Size()/10 {
		t.Errorf("the migration wrote %d bytes of a file of %d bytes, %v", log.Size(), old.Size(), err)
	}
	if err := s.WriteRollups(t.Context(), store.Hour, "air", []store.RollupSeries{{Tags: map[string]string{"device": "a"}, Field: "co2_ppm",
		Rows: []store.Rollup{{Start: noon, Sum: 3, Min: 1, Max: 2, Last: 2, Count: 2}}}}); err != nil {
		t.Fatal(err)
	}
	q := store.Query{Name: "air", From: noon, To: noon.Add(time.Hour), Step: time.Hour}
	for what, aggregate := range map[string]func(context.Context, store.Query, func(map[string]string, string, []store.Window) error) error{
		"readings": s.Aggregate,
		"roll-ups": func(ctx context.Context, q store.Query, fn func(map[string]string, string, []store.Window) error) error {
			return s.AggregateRollups(ctx, store.Hour, q, fn)
		},
	} {
		n := 0
		if err := aggregate(t.Context(), q, func(tags map[string]string, field string, ws []store.Window) error {
			n = ws[0].Count
			return nil
		}); err != nil || n != map[string]int{"readings": 3600, "roll-ups": 2}[what] {
			t.Errorf("%s: %d values, %v", what, n, err)
		}
	}
}
