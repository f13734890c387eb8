package local

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/store"
)

// runsLookedAt is how many of a function's newest runs say whether it has live data.
const runsLookedAt = 200

// lastRun returns when the function last ran. It returns zero if the function should run
// at once: it never ran, or its last run was on samples and it is live now or the other way
// round, or its last run did not end. The functions that watch the others never run at once:
// at the start, nothing has reported yet.
func (p *platform) lastRun(ctx context.Context, f host.Function) time.Time {
	if slices.Contains(watchers, f.Name) {
		return p.now()
	}
	st, err := p.open(ctx)
	if err != nil {
		return time.Time{}
	}
	runs, err := st.Runs(ctx, f.Name, 1)
	if err != nil || len(runs) == 0 || runs[0].Sample != (f.State == host.Sample) || slices.Contains([]string{"running", "died"}, runs[0].Status) {
		return time.Time{}
	}
	return runs[0].Started
}

// liveBefore returns the functions that have stored live data here. While the database cannot
// be reached, none is known.
func (p *platform) liveBefore(ctx context.Context) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	st, err := p.open(ctx)
	if err != nil {
		return nil // it is logged
	}
	live := map[string]bool{}
	for _, f := range p.functions {
		runs, err := st.Runs(ctx, f.Name, runsLookedAt)
		live[f.Name] = err == nil && slices.ContainsFunc(runs, func(r store.Run) bool {
			return !r.Sample && (r.Status == "ok" || r.Status == "partial")
		})
	}
	return live
}

// seed runs each live source that never ran once on its samples, and notes which sources show
// samples until their upstream answers. It does not write samples to databases of the user.
func (p *platform) seed(ctx context.Context) {
	if p.file == nil {
		return
	}
	st, err := p.open(ctx)
	if err != nil {
		return // it is logged
	}
	plain, err := stack.Read(p.root, nil)
	if err != nil {
		return // it was read before, with the variables
	}
	for _, f := range p.host.Functions() {
		if f.State != host.Live || f.Schedule() == "" {
			continue
		}
		i := slices.IndexFunc(plain, func(o stack.Function) bool { return o.Name == f.Name })
		if runs, err := st.Runs(ctx, f.Name, 1); err == nil && len(runs) == 0 && i >= 0 {
			if err := p.host.Seed(ctx, plain[i]); err != nil {
				p.log.Warn("no samples", "function", f.Name, "err", err)
			}
		}
		if has, err := st.HasSamples(ctx, f.Name); err == nil && has {
			p.seeded.Store(f.Name, true)
		}
	}
}

// sampleNotes returns a warning for the page for each live source whose upstream has not
// answered yet, so that it still shows samples.
func (p *platform) sampleNotes(ctx context.Context) (notes []string) {
	p.seeded.Range(func(name, _ any) bool {
		st, err := p.open(ctx)
		if err != nil {
			return false
		}
		function := name.(string)
		if !p.forgetSeeded(ctx, function) {
			return true
		}
		if runs, err := st.Runs(ctx, function, 1); err == nil && len(runs) > 0 && runs[0].Status == "failed" {
			notes = append(notes, function+" shows sample data until its upstream answers: "+p.redact(runs[0].Error))
		}
		return true
	})
	slices.Sort(notes)
	return notes
}

// retryEvery is how often a source that shows samples until its upstream answers is called:
// its schedule may be twice a day.
const retryEvery = 5 * time.Minute

// retryPart calls the sources that show samples until their upstream answers.
func (p *platform) retryPart() part {
	var stop context.CancelFunc
	var done sync.WaitGroup
	return part{"retries", func(ctx context.Context) error {
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		done.Go(func() { p.retrySeeded(ctx, retryEvery) })
		return nil
	}, func(context.Context) error {
		stop()
		done.Wait()
		return nil
	}}
}

func (p *platform) retrySeeded(ctx context.Context, every time.Duration) {
	for pause.For(ctx, every) {
		p.seeded.Range(func(name, _ any) bool {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.server.Addr+"/function/"+name.(string), http.NoBody)
			if err != nil {
				return true
			}
			if res, err := http.DefaultClient.Do(req); err == nil { // the function logs its failure
				_ = res.Body.Close()
			}
			p.forgetSeeded(ctx, name.(string))
			return ctx.Err() == nil
		})
	}
}

// forgetSeeded forgets a source whose samples are replaced. It reports whether it still shows
// them.
func (p *platform) forgetSeeded(ctx context.Context, function string) bool {
	st, err := p.open(ctx)
	if err != nil {
		return false
	}
	has, err := st.HasSamples(ctx, function)
	if err == nil && !has {
		p.seeded.Delete(function)
	}
	return has
}
