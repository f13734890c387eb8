package local

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	deadlines "github.com/hearth-home/hearth/functions/alert-deadlines"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rollup"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// halfRolledUp makes the database of an installation whose sensor has reported for 60 days
// before now, and of which the older half is rolled up. It returns the windows of all that
// from before.
func halfRolledUp(t *testing.T, root string, q store.Query) []store.WindowSeries {
	t.Helper()
	h, err := Open(root, []string{"EDGE=off", "PORT=0"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	st, err := sqlite.Open(t.Context(), h.databaseFile())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	var rs []reading.Reading
	for at := q.From; at.Before(q.To); at = at.Add(20 * time.Minute) {
		rs = append(rs, reading.Reading{Name: q.Name, Tags: map[string]string{"device": "office"}, Fields: map[string]float64{"co2_ppm": float64(400 + len(rs)%700)}, Time: at})
	}
	if err := st.Write(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	before, err := st.Windows(t.Context(), q)
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	if _, err := new(rollup.Roller).Tick(t.Context(), st, q.To.AddDate(0, 0, -30)); err != nil {
		t.Fatal(err)
	}
	return before
}

func TestAnOldDatabaseIsRolledUpInTheBackgroundAndShownAsBefore(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "stack.yml"), deadlinesStack)
	now := time.Now().Truncate(time.Hour)
	q := store.Query{Name: "air", From: now.AddDate(0, 0, -60), To: now, Step: 10_368 * time.Second} // 500 windows, none aligned to hours
	before := halfRolledUp(t, root, q)

	r := launchWith(t, map[string]host.Builder{"alert-deadlines": deadlines.New}, root)
	if h := r.status().History; h == nil || h.Percent <= 40 || h.Percent >= 60 || h.Problem != "" {
		t.Errorf("the page says of the history: %+v, want about half", h)
	}
	if _, body := r.call("GET", "/status"); !strings.Contains(body, "Rolling up the history: ") {
		t.Errorf("the page does not tell of the history\n%s", body)
	}
	if code, body := r.call("POST", "/function/alert-deadlines"); code != 200 {
		t.Fatalf("a tick: %d %s", code, body)
	}
	r.eventually("the page tells of no backlog", func() bool { return r.status().History == nil })

	st, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states, err := st.Rolled(t.Context())
	if s := states[q.Name]; err != nil || s.Dirty != 0 || s.Upto.Before(now.Add(-time.Hour)) {
		t.Errorf("rolled up: %+v, %v", s, err)
	}
	after, err := st.Windows(t.Context(), q)
	// A mean of roll-ups may differ in the last digit: its values are added in another order.
	if diff := cmp.Diff(before, after, cmpopts.EquateApprox(1e-12, 0)); err != nil || diff != "" {
		t.Errorf("windows differ: %v\n%s", err, diff)
	}
}
