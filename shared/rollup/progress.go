package rollup

import (
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

// backlog is how much of a measurement's history is left to roll up when that is worth
// telling.
const backlog = 2 * day

// Progress is how far the history is rolled up. An installation that had readings before
// it had roll-ups has a backlog for some hours or days.
type Progress struct {
	done, of time.Duration // of is from the first reading until now. Of several measurements, done is the mean
	Backlog  bool          // some measurement has more than two days left
}

// ProgressOf returns how far the history is rolled up; states are those of store.Rolled.
func ProgressOf(states map[string]store.Rolled, now time.Time) Progress {
	var p Progress
	var done, of time.Duration
	for name, s := range states {
		if !catalogue.KeptOf(name).Rolled {
			continue
		}
		all, left := dueAt(now).Sub(s.Since), remaining(s, now)
		done, of = done+all-left, of+all
		p.of, p.Backlog = max(p.of, all), p.Backlog || left > backlog
	}
	if of > 0 {
		p.done = time.Duration(float64(p.of) * (float64(done) / float64(of)))
	}
	return p
}

// remaining returns how much of a measurement's history is left to roll up.
func remaining(s store.Rolled, now time.Time) time.Duration {
	all := max(dueAt(now).Sub(s.Since), 0)
	return min(max(dueAt(now).Sub(s.Upto), 0)+time.Duration(s.Dirty)*time.Hour, all)
}

// dueAt returns until when hours are to be rolled up: an hour when it ended 15 minutes ago,
// since most readings have come by then.
func dueAt(now time.Time) time.Time { return now.UTC().Add(-settle).Truncate(time.Hour) }

// Percent is 100 only when all is done.
func (p Progress) Percent() int {
	if p.of <= 0 {
		return 100
	}
	return int(100 * (float64(p.done) / float64(p.of)))
}

// Days returns how many whole days are rolled up, and of how many.
func (p Progress) Days() (done, of int) { return int(p.done / day), int(p.of / day) }

func (p Progress) String() string {
	done, of := p.Days()
	return fmt.Sprintf("%d %% of the history is rolled up: %d of %d days", p.Percent(), done, of)
}
