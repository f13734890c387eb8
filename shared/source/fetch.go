package source

import (
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

// sideBySide is how many targets are asked at once, so that one host that
// hangs does not use up the time of the others.
const sideBySide = 4

// fetched is what became of one target.
type fetched struct {
	Batch
	checked ingest.Checked // what may be stored of it
	target  string
	err     error
	skipped bool // the time was up before its turn
}

func (x *runner) fetch(ctx context.Context, st *store.Store, p params, w Window) []fetched {
	client := x.client.Memo()
	out := make([]fetched, len(x.Targets))
	var g errgroup.Group
	g.SetLimit(sideBySide)
	for i, target := range x.Targets {
		g.Go(func() error {
			if x.Fits > 0 && i >= x.Fits {
				out[i] = fetched{target: target, err: fmt.Errorf("not asked: only the first %d of %s fit what the upstream allows a minute; take some out, or raise the limit if the plan has more", x.Fits, x.Setting)}
				return nil
			}
			out[i] = x.fetchTarget(ctx, client, st, p, w, target)
			return nil
		})
	}
	_ = g.Wait() // failures are in out, each with its target
	return out
}

func (x *runner) fetchTarget(ctx context.Context, client *fetch.Client, st *store.Store, p params, w Window, target string) (f fetched) {
	f.target = target
	defer func() {
		if v := recover(); v != nil {
			f.Batch, f.err = Batch{}, fmt.Errorf("%s stopped with %v: please report this as a bug", target, v)
			x.env.Log.Error("panic", "function", x.Name, "target", target, "value", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
	}()
	if ctx.Err() != nil {
		f.skipped, f.err = true, errors.New("not asked: the time was up")
		return f
	}
	if x.Quota != nil {
		if q := x.Quota(target); q != nil {
			client = client.Gate(func(ctx context.Context) error {
				err := st.Take(ctx, *q, 1, p.trigger == "cron", x.env.Now())
				if _, spent := errors.AsType[*store.SpentError](err); err != nil && !spent {
					return &storeError{err}
				}
				return err
			})
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

// check completes what Fetch returned, leaves out what must not be stored, with a
// warning, and fails the target if nothing is left or a name is not in the
// catalogue: an upstream that changed its format shows here at the latest.
func (x *runner) check(f *fetched) error {
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
		if rest, ok := strings.CutPrefix(it.URL, x.env.Samples); ok && x.env.Sample {
			it.URL = "https://" + rest
		}
		it.URL = Link(it.URL)
	}
	found := ingest.Found{Readings: f.Readings, List: store.List{Source: x.Name, Target: f.target, Items: f.Items, Complete: f.Complete, Sample: x.env.Sample}}
	checked, refused, err := found.Check(x.env.Now())
	if err != nil {
		return fmt.Errorf("what it answered cannot be right: %w", err)
	}
	f.checked = checked
	f.Readings, f.Items = checked.Found().Readings, checked.Found().List.Items
	for i, why := range refused {
		if i == maxLeftOut {
			f.Warnings = append(f.Warnings, fmt.Sprintf("left out as well: %d more", len(refused)-i))
			break
		}
		f.Warnings = append(f.Warnings, "left out: "+why.Error())
	}
	return nil
}

const maxLeftOut = 5 // that are named in a target's warnings

// show puts what was decoded into the answer.
func (a *Answer) show(fs []fetched) {
	for _, f := range fs {
		a.Readings = append(a.Readings, f.Readings...)
		a.Items = append(a.Items, f.Items...)
	}
}

// Link returns s if it is a web address, which a person may click, without a
// user and password; "" if not. Every item's URL goes through it.
func Link(s string) string {
	u, err := config.URL(s)
	if err != nil {
		return ""
	}
	if u.User != nil {
		u.User = nil
		return u.String()
	}
	return s
}

// report fills the answer's outcome of each target and returns the error that
// decides the status code: none while some target worked, unless strict.
func (x *runner) report(a *Answer, fs []fetched, strict bool) error {
	var worst error
	failed := 0
	for _, f := range fs {
		o := store.Outcome{Target: f.target, Status: "ok", Readings: len(f.Readings), Items: len(f.Items)}
		for _, w := range f.Warnings {
			a.Warnings = append(a.Warnings, x.env.Secrets.Redact(f.target+": "+w))
		}
		if f.err != nil {
			failed++
			o.Status, o.Error = "failed", x.env.Secrets.Brief(f.err.Error(), reasonBytes)
			if f.skipped {
				o.Status = "skipped"
			}
			a.Warnings = append(a.Warnings, f.target+": "+o.Error)
			worst = worse(worst, f)
		}
		a.Targets = append(a.Targets, o)
	}
	switch {
	case failed == 0:
		if a.Status == "" {
			a.Status = "ok"
		}
		return nil
	case failed < len(fs) && !strict:
		a.Status = "partial"
		return nil
	default:
		return worst
	}
}

// worse keeps the failure that says most: a store's over an upstream's over a
// spent quota.
func worse(worst error, f fetched) error {
	err := fmt.Errorf("%s: %w", f.target, f.err)
	if worst == nil {
		return err
	}
	a, _ := status(worst, time.Time{})
	if b, _ := status(err, time.Time{}); b > a {
		return err
	}
	return worst
}

// isSpent reports whether a quota, ours or the upstream's word, forbids more
// calls, and for how long after now.
func isSpent(err error, now time.Time) (bool, time.Duration) {
	if e, ok := errors.AsType[*store.SpentError](err); ok {
		return true, e.Until.Sub(now)
	}
	if e, ok := errors.AsType[*fetch.UpstreamError](err); ok && e.Spent {
		return true, e.RetryAfter
	}
	if e, ok := errors.AsType[*fetch.StatusError](err); ok && e.Code == http.StatusTooManyRequests {
		return true, e.RetryAfter
	}
	return false, 0
}

func allFailed(fs []fetched) bool {
	for _, f := range fs {
		if f.err == nil {
			return false
		}
	}
	return true
}

func someFailed(fs []fetched) bool {
	return slices.ContainsFunc(fs, func(f fetched) bool { return f.err != nil })
}

// merge adds a step to what the steps before it brought: counts add up, the
// first failure of a target stays.
func merge(all, step []fetched) []fetched {
	if all == nil {
		return step
	}
	for i := range all {
		all[i].Readings = append(all[i].Readings, step[i].Readings...)
		all[i].Items = append(all[i].Items, step[i].Items...)
		all[i].Warnings = append(all[i].Warnings, step[i].Warnings...)
		if all[i].err == nil {
			all[i].err, all[i].skipped = step[i].err, step[i].skipped
		}
	}
	return all
}

// SplitList splits a setting at its semicolons, or at commas where it has
// none, and drops empty parts.
func SplitList(s string) []string {
	sep := ","
	if strings.Contains(s, ";") {
		sep = ";"
	}
	var out []string
	for part := range strings.SplitSeq(s, sep) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
