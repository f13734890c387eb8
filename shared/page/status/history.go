package status

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hearth-home/hearth/shared/rollup"
	"github.com/hearth-home/hearth/shared/store"
)

// History is how far the history is rolled up. The page shows it while there is a backlog, as
// in an installation that had readings before it had roll-ups, and while roll-ups cannot be
// stored.
type History struct {
	Percent  int    `json:"percent"`
	DaysDone int    `json:"days_done"`
	Days     int    `json:"days"`
	Problem  string `json:"problem,omitempty"` // why roll-ups cannot be stored, and what to do; then the numbers are 0
}

// Line is what the page says of it.
func (h History) Line() string {
	if h.Problem != "" {
		return "Nothing is rolled up and no reading expires: " + h.Problem
	}
	return fmt.Sprintf("Rolling up the history: %d %%, %d of %d days", h.Percent, h.DaysDone, h.Days)
}

// rolledUp is the history as it was read last.
type rolledUp struct {
	at      time.Time
	history *History
}

// readHistory returns nil if there is nothing to show. It asks the store as often as the state
// of the platform is read. What cannot be read stays as it was.
func (c *collector) readHistory(ctx context.Context, st *store.Store, now time.Time) (*History, error) {
	r := &c.rolledUp
	if age := now.Sub(r.at); age >= 0 && age < platformEvery {
		return r.history, nil
	}
	r.at = now
	if err := st.ReadyForRollups(ctx); err != nil && !passes(err) {
		r.history = &History{Problem: c.Redact(err.Error())}
		return r.history, nil
	}
	states, err := st.Rolled(ctx)
	if err != nil {
		return r.history, err
	}
	r.history = nil
	if p := rollup.ProgressOf(states, now); p.Backlog {
		r.history = &History{Percent: p.Percent()}
		r.history.DaysDone, r.history.Days = p.Days()
	}
	return r.history, nil
}

// passes reports whether an error says only that the database is down or busy. Then the page
// says so already: its readings cannot be read either.
func passes(err error) bool {
	if e, ok := errors.AsType[*store.InfluxError](err); ok {
		return e.StatusCode >= http.StatusInternalServerError || e.StatusCode == http.StatusTooManyRequests
	}
	_, down := errors.AsType[net.Error](err)
	return down || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
