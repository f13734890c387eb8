package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/pause"
)

const (
	maxHold = 24 * time.Hour  // the longest pause that a host may ask for
	maxWait = 24 * time.Hour  // without a new answer of a target that waits for its host; then it fails
	inRun   = 5 * time.Second // a pause that ends so soon is waited for

	noteTime = 2 * time.Second // to record a pause or a turn
)

// heldError is a target that was not fetched, since its host asked for a pause.
type heldError struct {
	host  string
	until time.Time
}

func (e *heldError) Error() string {
	return fmt.Sprintf("%s asked for no request before %s", e.host, e.until.UTC().Format("15:04:05 UTC on 2 January"))
}

// load reads when the targets worked, and when those with a host failed.
func (f *fetching) load(ctx context.Context) (err error) {
	if f.before, err = f.st.Targets(ctx, f.Name); err == nil && f.Host != nil {
		f.turns, err = f.st.Turns(ctx, f.Name)
	}
	return err
}

// groups returns the indices of the targets: those of one host together, the one that had
// its turn the longest ago first: it worked then, or failed. The hosts are in that order, too.
// What always fails would else be the first each time, and where it hangs, the only one.
func (f *fetching) groups() [][]int {
	var out [][]int
	byHost := map[string]int{} // index in out
	for i, target := range f.Targets {
		host := f.hostOf(target)
		at, known := byHost[host]
		if !known || host == "" {
			byHost[host] = len(out)
			out = append(out, []int{i})
			continue
		}
		out[at] = append(out[at], i)
	}
	last := func(i int) time.Time {
		ok, failed := f.before[f.Targets[i]].LastOK, f.turns[f.Targets[i]]
		if failed.After(ok) {
			return failed
		}
		return ok
	}
	for _, group := range out {
		slices.SortStableFunc(group, func(a, b int) int { return last(a).Compare(last(b)) })
	}
	slices.SortStableFunc(out, func(a, b []int) int { return last(a[0]).Compare(last(b[0])) })
	return out
}

// hostOf returns the host that the target shares with others, "" if it shares none.
func (f *fetching) hostOf(target string) string {
	if f.Host == nil || f.env.Sample {
		return ""
	}
	return f.Host(target)
}

// group fetches targets of one host, one after the other, until the host asks for a pause.
func (f *fetching) group(ctx context.Context, group []int) {
	host := f.hostOf(f.Targets[group[0]])
	if host == "" {
		for _, i := range group {
			f.one(ctx, i)
		}
		return
	}
	until, err := f.st.HeldUntil(ctx, host)
	if ctx.Err() != nil {
		err = nil // the run's time is up: one says so
	}
	asked := false
	for _, i := range group {
		if err == nil && f.held(ctx, until) {
			f.out[i] = result{target: f.Targets[i], err: &heldError{host, until}}
			continue
		}
		if err == nil {
			f.one(ctx, i)
		} else {
			f.out[i] = result{target: f.Targets[i], err: &storeError{err}}
		}
		if wait := pauseOf(f.out[i].err); wait > 0 {
			until = f.env.Now().Add(min(wait, maxHold))
		}
		if err == nil && !f.out[i].skipped {
			err = f.note(ctx, host, i, until, asked)
		}
		asked = true
	}
	f.wait(group)
}

// note records what the failed fetch of a target says for later runs: until when its host
// wants no request, and that the target had its turn. One that is refused after another one was
// served had none. The run's time for requests may be up.
func (f *fetching) note(ctx context.Context, host string, i int, until time.Time, asked bool) error {
	failed := f.out[i].err
	if failed == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	if pauseOf(failed) > 0 {
		if err := f.st.Hold(ctx, host, until); err != nil || asked {
			return err
		}
	}
	return f.st.Turn(ctx, f.Name, f.Targets[i], f.env.Now())
}

// held reports whether a pause has not ended. It waits for one that ends soon.
func (f *fetching) held(ctx context.Context, until time.Time) bool {
	left := until.Sub(f.env.Now())
	return left > 0 && (left > inRun || !pause.For(ctx, left))
}

// pauseOf returns how long the host that answered with err wants no request, 0 if it does
// not say so.
func pauseOf(err error) time.Duration {
	e, ok := errors.AsType[*fetch.StatusError](err)
	switch {
	case ok && e.Code == http.StatusTooManyRequests && e.RetryAfter <= 0:
		return defaultRetryAfter
	case ok && (e.Code == http.StatusTooManyRequests || e.Code == http.StatusServiceUnavailable):
		return e.RetryAfter
	}
	return 0
}

// answered reports whether a fetch with this error had an answer that asks for no pause.
func answered(err error) bool {
	if _, ok := errors.AsType[*fetch.StatusError](err); ok {
		return pauseOf(err) == 0
	}
	return err == nil || cause(err) != ""
}

// wait marks those targets of a host as waiting that it will serve later: it answered for
// another one in this run, or within maxWait, and asked for a pause that lasts. An answer that
// a page is gone, or that cannot be read, is one, too. Only the target that a host refuses
// before it served any fails.
func (f *fetching) wait(group []int) {
	served := slices.ContainsFunc(group, func(i int) bool { return answered(f.out[i].err) })
	recent := slices.ContainsFunc(group, func(i int) bool { return f.env.Now().Sub(f.before[f.Targets[i]].LastOK) < maxWait })
	for _, i := range group {
		r := &f.out[i]
		_, held := errors.AsType[*heldError](r.err)
		failing := !f.before[r.target].Failing.IsZero()
		r.waiting = served && (held || pauseOf(r.err) > 0) || held && recent && !failing
	}
}
