package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/store"
)

// maxParallel is how many targets are fetched at once. A host that hangs then
// does not use up the time of the others.
const maxParallel = 4

// result is the result of a run for one target.
type result struct {
	Batch
	checked ingest.Checked // the part of Batch that may be stored
	target  string
	err     error
	skipped bool // the run's time was up before this target was fetched
	waiting bool // its host asked for a pause, and works
	off     bool // the upstream does not offer it, and never did
}

// fetch fetches all targets, several at once, and returns one result per target
// in the order of Targets.
func (x *runner) fetch(ctx context.Context, st *store.Store, p params, w Window) []result {
	f := fetching{runner: x, st: st, p: p, w: w, client: x.client.Memo(), out: make([]result, len(x.Targets))}
	if err := f.load(ctx); err != nil {
		for i, target := range x.Targets {
			f.out[i] = result{target: target, err: &storeError{err}}
		}
		return f.out
	}
	var g errgroup.Group
	g.SetLimit(maxParallel)
	for _, group := range f.groups() {
		g.Go(func() error {
			f.group(ctx, group)
			return nil
		})
	}
	_ = g.Wait() // never fails: each target's error is in out
	return f.out
}

// fetching is the fetch of all targets for one window.
type fetching struct {
	*runner
	st     *store.Store
	p      params
	w      Window
	client *fetch.Client
	before map[string]store.Target // by target
	turns  map[string]time.Time    // of the latest failed fetch of a target with a host, by target
	out    []result                // by index of the target
}

// one fetches the target of an index.
func (f *fetching) one(ctx context.Context, i int) {
	target := f.Targets[i]
	if f.MaxTargets > 0 && i >= f.MaxTargets {
		f.out[i] = result{target: target, err: fmt.Errorf("not fetched: only the first %d of %s fit the upstream's limit per minute; remove some, or raise the limit if your plan allows more", f.MaxTargets, f.Setting)}
		return
	}
	r := f.fetchTarget(ctx, f.client, f.st, f.p, f.w, target)
	if e, ok := errors.AsType[*offError](r.err); ok && f.before[target].LastOK.IsZero() {
		r = result{target: target, off: true, Batch: Batch{Warnings: []string{e.Error()}}}
	}
	f.out[i] = r
}

// fetchTarget fetches one target, counts its requests against its quota and turns
// a panic into an error.
func (x *runner) fetchTarget(ctx context.Context, client *fetch.Client, st *store.Store, p params, w Window, target string) (f result) {
	f.target = target
	defer func() {
		if v := recover(); v != nil {
			f.Batch, f.err = Batch{}, fmt.Errorf("%s: the fetch panicked with %v: please report this as a bug", target, v)
			x.env.Log.Error("panic", "function", x.Name, "target", target, "value", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	if ctx.Err() != nil {
		f.skipped, f.err = true, errors.New("not fetched: the run's time was up")
		return f
	}
	if x.Quota != nil && !x.env.Sample { // the sample server has no quota, and the upstream is not asked
		if q := x.Quota(target); q != nil {
			client = client.Gate(func(ctx context.Context) error { return x.takeCall(ctx, st, *q, p.trigger == "cron") })
		}
	}
	f.Batch, f.err = x.Fetch(ctx, client, target, w)
	if f.err == nil {
		f.err = x.check(&f)
	}
	if f.err != nil {
		f.Batch = Batch{Warnings: f.Warnings}
	}
	return f
}

// takeCall counts one call against q. It returns a *store.SpentError if q is spent, and a
// *storeError if the store fails.
func (x *runner) takeCall(ctx context.Context, st *store.Store, q store.Quota, scheduled bool) error {
	err := st.Take(ctx, q, 1, scheduled, x.env.Now())
	if _, spent := errors.AsType[*store.SpentError](err); spent || err == nil {
		return err
	}
	return &storeError{err}
}

// check completes the fetched readings and items, and drops those that must not
// be stored, with a warning for each. It returns an error if nothing is left or if
// a name is not in the catalogue: an upstream that changed its format is found
// here at the latest.
func (x *runner) check(f *result) error {
	for i := range f.Readings {
		r := &f.Readings[i]
		r.Time = r.Time.UTC()
		if x.env.Sample {
			if r.Tags == nil {
				r.Tags = map[string]string{}
			}
			r.Tags[catalogue.SampleLabel] = "true"
		}
	}
	for i := range f.Items {
		it := &f.Items[i]
		it.Source, it.Target, it.Sample, it.At = x.Name, f.target, x.env.Sample, it.At.UTC()
		if path, ok := strings.CutPrefix(it.URL, x.env.Samples); ok && x.env.Sample {
			it.URL = "https://" + path // the sample server stands in for the upstream
		}
		it.URL = config.Link(it.URL)
	}
	x.hideSecrets(f)
	found := ingest.Found{Readings: f.Readings, List: store.List{Source: x.Name, Target: f.target, Items: f.Items, Complete: f.Complete, FirstSeen: f.FirstSeen, Sample: x.env.Sample}}
	checked, refused, err := found.Check(x.env.Now())
	if err != nil {
		return fmt.Errorf("the answer cannot be right: %w", err)
	}
	f.checked = checked
	f.Readings, f.Items = checked.Found().Readings, checked.Found().List.Items
	for i, reason := range refused {
		if i == maxLeftOut {
			f.Warnings = append(f.Warnings, fmt.Sprintf("left out as well: %d more", len(refused)-i))
			break
		}
		f.Warnings = append(f.Warnings, "left out: "+reason.Error())
	}
	return nil
}

const maxLeftOut = 5 // warnings of a target that name a reading or item left out

// show adds the decoded readings and items to the answer.
func (a *Answer) show(fs []result) {
	for _, f := range fs {
		for _, r := range f.Readings {
			if r.Fields == nil {
				r.Fields = map[string]float64{} // not null in JSON
			}
			a.Readings = append(a.Readings, r)
		}
		a.Items = append(a.Items, f.Items...)
	}
}

// report adds each target's outcome to the answer. It returns the error that
// decides the status code: nil if at least one target worked, unless strict.
func (x *runner) report(a *Answer, fs []result, p params) error {
	var worst error
	failed, incomplete, waiting := 0, 0, 0
	for _, f := range fs {
		o := store.Outcome{Target: f.target, Status: f.status(), Readings: len(f.Readings), Items: len(f.Items)}
		for _, w := range f.Warnings {
			a.Warnings = append(a.Warnings, x.env.Secrets.Redact(f.target+": "+w))
		}
		if err := cmp.Or(f.err, f.Failed); err != nil {
			o.Error = x.env.Secrets.Brief(err.Error(), reasonBytes)
			a.Warnings = append(a.Warnings, f.target+": "+o.Error)
			worst = worse(worst, f.target, err)
		}
		switch o.Status {
		case "off":
			o.Error = x.env.Secrets.Brief(f.Warnings[0], reasonBytes)
		case "partial":
			incomplete++
		case "waiting":
			waiting++
		case "failed", "skipped":
			failed++
		}
		a.Targets = append(a.Targets, o)
	}
	refused := waiting == len(fs) && p.trigger != "cron" // a person asked for it: say when to ask again
	switch {
	case failed > 0 && failed+waiting == len(fs) || p.strict && worst != nil || refused && waiting > 0:
		return worst
	case failed+incomplete > 0:
		a.Status = "partial"
	case a.Status == "":
		a.Status = "ok"
	}
	return nil
}

// status is the status of the target's outcome.
func (f *result) status() string {
	switch {
	case f.skipped:
		return "skipped"
	case f.waiting:
		return "waiting"
	case f.off:
		return "off"
	case f.err != nil:
		return "failed"
	case f.Failed != nil:
		return "partial"
	}
	return "ok"
}

// worse returns the worse of two failures. A failure of our store is worse than
// one of an upstream, which is worse than a spent quota. Their status codes, 503,
// 502 and 429, have the same order.
func worse(worst error, target string, err error) error {
	err = fmt.Errorf("%s: %w", target, err)
	if worst == nil {
		return err
	}
	a, _ := status(worst, time.Time{})
	if b, _ := status(err, time.Time{}); b > a {
		return err
	}
	return worst
}

// isSpent reports whether err is a spent quota, as counted by us or as reported by
// the upstream. It also returns how long after now the quota stays spent; 0 means
// unknown.
func isSpent(err error, now time.Time) (bool, time.Duration) {
	if e, ok := errors.AsType[*store.SpentError](err); ok {
		return true, e.Until.Sub(now)
	}
	if e, ok := errors.AsType[*fetch.UpstreamError](err); ok && e.Spent {
		return true, e.RetryAfter
	}
	if e, ok := errors.AsType[*heldError](err); ok {
		return true, e.until.Sub(now)
	}
	if e, ok := errors.AsType[*fetch.StatusError](err); ok && e.Code == http.StatusTooManyRequests {
		return true, e.RetryAfter
	}
	return false, 0
}

func allFailed(fs []result) bool {
	for _, f := range fs {
		if f.err == nil {
			return false
		}
	}
	return true
}

func someFailed(fs []result) bool {
	return slices.ContainsFunc(fs, func(f result) bool { return f.err != nil })
}

// merge appends a step's results to those of the steps before it. Each target
// keeps its first error.
func merge(all, step []result) []result {
	if all == nil {
		return step
	}
	for i := range all {
		all[i].Readings = append(all[i].Readings, step[i].Readings...)
		all[i].Items = append(all[i].Items, step[i].Items...)
		all[i].Warnings = append(all[i].Warnings, step[i].Warnings...)
		all[i].Failed = cmp.Or(all[i].Failed, step[i].Failed)
		if all[i].err == nil {
			all[i].err, all[i].skipped, all[i].waiting = step[i].err, step[i].skipped, step[i].waiting
		}
		all[i].off = all[i].off && step[i].off
	}
	return all
}
