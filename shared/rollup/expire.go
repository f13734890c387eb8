package rollup

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// fromBegin is how long a measurement must have roll-ups before its readings are deleted.
const fromBegin = time.Hour

// expire deletes readings and roll-ups of 5 minutes that are kept no longer: a day of each
// measurement in turn, the oldest first, until none is left or ctx ends.
func (t *tick) expire(ctx context.Context) error {
	stopped := map[*measurement]bool{}
	for more := true; more && ctx.Err() == nil; {
		more = false
		for _, m := range t.all {
			if stopped[m] || t.now.Before(m.state.Created.Add(fromBegin)) {
				continue
			}
			again, err := t.expireDay(ctx, m)
			if err != nil {
				if err := t.fail(ctx, m, err); err != nil {
					return err
				}
			}
			stopped[m], more = err != nil || !again, more || again
		}
	}
	return nil
}

// expireDay deletes a day of readings, and one of roll-ups. more is false if nothing was to
// be deleted.
func (t *tick) expireDay(ctx context.Context, m *measurement) (more bool, err error) {
	readings := func(ctx context.Context, from, to time.Time) error {
		return t.st.DeleteRange(ctx, m.name, nil, from, to)
	}
	fine := func(ctx context.Context, from, to time.Time) error {
		return t.st.DeleteRollups(ctx, store.FiveMinutes, m.name, nil, from, to)
	}
	a, err := t.expireOne(ctx, m, 0, &m.state.Raw, m.kept.Raw, readings)
	if err != nil {
		return false, err
	}
	b, err := t.expireOne(ctx, m, store.FiveMinutes, &m.state.Fine, m.kept.Fine, fine)
	return a || b, err
}

// expireOne first notes that a day is not read any more, then deletes it, then notes that
// it is deleted. A day that a killed tick did not delete to the end is deleted again.
func (t *tick) expireOne(ctx context.Context, m *measurement, resolution time.Duration, e *store.Expiry, keep time.Duration, remove func(context.Context, time.Time, time.Time) error) (bool, error) {
	if keep == 0 {
		return false, nil
	}
	if !e.Deleted.Before(e.Expired) {
		limit := t.now.Add(-keep).Truncate(day)
		if !e.Expired.Before(limit) {
			return false, nil
		}
		next := earlier(e.Expired.Truncate(day).Add(day), limit)
		if ok, err := t.st.Expire(ctx, m.name, resolution, e.Expired, next); err != nil || !ok {
			return false, err // not ok: an hour before next is still to be rolled up
		}
		e.Expired = next
	}
	if err := remove(ctx, e.Deleted, e.Expired); err != nil {
		return false, err
	}
	if err := t.st.Deleted(ctx, m.name, resolution, e.Expired); err != nil {
		return false, err
	}
	e.Deleted = e.Expired
	t.done.Deleted++
	return true, nil
}
