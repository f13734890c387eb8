package function

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/deadline"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	callTime  = 5 * time.Second // to wait for an overdue source; its run goes on after it
	healTime  = 4 * time.Minute // less than from one tick to the next: the source may run meanwhile
	mostCalls = 4               // at the same time

	watchedElsewhere = "alert-devices" // by sensors: the rule cron-stopped
)

// overdue finds functions with a schedule whose run is overdue. It calls each once, since
// calls of the schedule may be lost, and only if that did not help the alert fires at the
// next tick. The function's own lease makes the call harmless.
func (t *tick) overdue(ctx context.Context) error {
	functions, err := t.st.Functions(ctx)
	if err != nil {
		return err
	}
	last, err := t.st.LastFinished(ctx)
	if err != nil {
		return err
	}
	watched := map[string]bool{}
	var late []string
	var found []alert.Observation
	for _, f := range functions {
		spec, on := t.rules.Spec(rules.SourceOverdue, f.Name, "")
		if !on || !f.Configured || f.Period == 0 || f.Name == name || f.Name == watchedElsewhere {
			continue
		}
		spec.For = max(spec.For, healTime)
		o := deadline.Overdue(spec, f, last[f.Name].Started, t.house, t.now)
		o.Sample = last[f.Name].Sample
		watched[o.Key], found = true, append(found, o)
		if s := t.active[o.Key]; o.Verdict == alert.Bad && s.Phase != alert.Pending && !s.Open() {
			late = append(late, f.Name)
		}
	}
	t.call(ctx, late)
	if err := t.move(ctx, found); err != nil {
		return err
	}
	if err := t.unwatch(ctx, rules.SourceOverdue, watched, "The function was removed or lacks a setting, or the rule is switched off for it."); err != nil {
		return err
	}
	return t.removed(ctx, functions)
}

// removed ends the alerts about the targets, items and quotas of sources that were removed:
// they themselves end those of a target that is taken away.
func (t *tick) removed(ctx context.Context, functions []store.Function) error {
	there := map[string]bool{}
	for _, f := range functions {
		there[f.Name] = true
	}
	kept := map[string]bool{}
	for key, s := range t.active {
		kept[key] = there[s.Function]
	}
	for _, rule := range []string{rules.SourceFailing, rules.Dependabot, rules.Quota} {
		if err := t.unwatch(ctx, rule, kept, "The function was removed."); err != nil {
			return err
		}
	}
	return nil
}

// call calls functions through the gateway, as their schedule does.
func (t *tick) call(ctx context.Context, functions []string) {
	slots := make(chan struct{}, mostCalls)
	var all sync.WaitGroup
	for _, f := range functions {
		slots <- struct{}{}
		all.Go(func() {
			status, err := t.callOne(ctx, f)
			if err != nil {
				status = t.env.Secrets.Redact(err.Error())
			}
			t.env.Log.Warn("called an overdue function", "overdue", f, "answer", status)
			<-slots
		})
	}
	all.Wait()
}

func (t *tick) callOne(ctx context.Context, function string) (status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Gateway.JoinPath("function", function).String(), nil)
	if err != nil {
		return "", err
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", fmt.Errorf("call %s: %w", function, err)
	}
	defer a.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(a.Body, 1<<20)) // its run is over when the answer is
	return a.Status, err
}
