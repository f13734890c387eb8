package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

// watch is who is told of a run's alerts, and by which rules.
type watch struct {
	*alert.House
	rules *rules.Set
}

func (x *runner) watch(ctx context.Context, st *store.Store) (watch, error) {
	h, set, err := x.loader.Load(ctx, st, x.env.Now())
	return watch{h, set}, err
}

// observed returns the change of alerts by observations. What a rule decides is taken from
// the rules, as far as the observation does not say it: Severity, Title and Next, and a
// longer For. It leaves out those whose rule is off.
func (w watch) observed(observations []alert.Observation, now time.Time) store.Alerts {
	var on []alert.Observation
	for _, o := range observations {
		spec, ok := w.rules.Spec(o.Rule, cmp.Or(o.Name, o.Function), "")
		if !ok {
			continue
		}
		spec.For = max(spec.For, o.For)
		spec.Severity, spec.Title, spec.Next = cmp.Or(o.Severity, spec.Severity), cmp.Or(o.Title, spec.Title), cmp.Or(o.Next, spec.Next)
		if spec.Severity == alert.Info {
			spec.Remind = 0
		}
		o.Spec = spec
		on = append(on, o)
	}
	return store.Observed(w.House, on, now)
}

// judge returns how a run ended for a target: the target as the store keeps it, and what
// the alert about it sees. A nil err means that the target worked.
func (x *runner) judge(r store.Run, before store.Target, target string, err error, at time.Time) (store.Target, alert.Observation) {
	t := store.Target{Name: target, LastOK: at}
	o := alert.Observation{
		Key: rules.SourceFailing + "/" + x.Name + "/" + target, Spec: alert.Spec{Rule: rules.SourceFailing}, Subject: alert.Subject{Function: x.Name, Target: target},
		Verdict: alert.Good, At: at, Text: "It works again.", LastOK: at, Sample: x.env.Sample, Group: "run/" + r.ID,
	}
	if err == nil {
		return t, o
	}
	t.Failing, t.LastOK = before.Failing, before.LastOK
	if t.Failing.IsZero() {
		t.Failing = at
	}
	t.Reason = x.env.Secrets.Brief(err.Error(), reasonBytes)
	o.Verdict, o.Text, o.Cause, o.LastOK = alert.Bad, t.Reason, cause(err), t.LastOK
	if x.AlertAfter != nil {
		o.For = x.AlertAfter(err)
	}
	return t, o
}

// unwatched returns the change that ends the function's alerts for which gone is true.
func (x *runner) unwatched(ctx context.Context, st *store.Store, h watch, why string, gone func(*alert.State) bool) (store.Alerts, error) {
	active, err := st.ActiveAlerts(ctx)
	if err != nil {
		return store.Alerts{}, err
	}
	active = slices.DeleteFunc(active, func(a alert.State) bool {
		return a.Function != x.Name || a.Target == "" && a.Rule != rules.Quota || !gone(&a)
	})
	now := x.env.Now()
	return store.Unwatched(h.House, active, why, fmt.Sprintf("unwatched/%s/%d", x.Name, now.UnixMicro()), now), nil
}

// unwatch ends the alerts about live data of the function, which is not fetched any more,
// and deletes its targets, once.
func (x *runner) unwatch(ctx context.Context, why string) {
	if x.gone.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	st, err := x.env.Open(ctx)
	if err != nil {
		return // presence logs it
	}
	h, err := x.watch(ctx, st)
	if err != nil {
		return
	}
	alerts, err := x.unwatched(ctx, st, h, "It is not fetched any more: "+why, func(a *alert.State) bool { return !a.Sample || !x.env.Sample })
	if err == nil {
		err = st.DropTargets(ctx, x.Name, alerts)
	}
	if err != nil {
		x.env.Log.Warn("the alerts of the targets stay", "function", x.Name, "err", err)
		return
	}
	x.gone.Store(true)
	x.send(ctx, st)
}

// closeLists closes the items of targets that were removed from the settings, and ends the
// alerts about them. It ends those that are about sample data too if this run has none, and
// the other way round.
func (x *runner) closeLists(ctx context.Context, st *store.Store, h watch, r store.Run) error {
	alerts, err := x.unwatched(ctx, st, h, "It is not fetched any more.", func(a *alert.State) bool {
		return a.Sample != x.env.Sample || a.Target != "" && !slices.Contains(x.Targets, a.Target)
	})
	if err != nil {
		return err
	}
	_, err = st.CloseLists(ctx, r, x.Targets, alerts)
	return err
}

// changed returns what the items that opened or closed in a run change: alerts, and news.
func (x *runner) changed(h watch, r store.Run) func([]item.Change) (store.Alerts, []alert.Message) {
	return func(changes []item.Change) (store.Alerts, []alert.Message) {
		var observations []alert.Observation
		var messages []alert.Message
		for _, c := range changes {
			if x.Alert != nil {
				if o, ok := x.Alert(c); ok {
					observations = append(observations, x.itemAlert(o, c, r))
					continue
				}
			}
			messages = append(messages, x.news(h, c)...)
		}
		return h.observed(observations, x.env.Now()), messages
	}
}

// itemAlert completes what the alert about an item sees.
func (x *runner) itemAlert(o alert.Observation, c item.Change, r store.Run) alert.Observation {
	o.Function, o.Target, o.At, o.Sample, o.Group = x.Name, c.Item.Target, c.When, x.env.Sample, "run/"+r.ID
	o.Title, o.Text, o.Name, o.Next = x.env.Secrets.Redact(o.Title), x.env.Secrets.Redact(o.Text), x.env.Secrets.Redact(o.Name), x.env.Secrets.Redact(o.Next)
	o.Verdict = alert.Good
	if c.Opened {
		o.Verdict = alert.Bad
	}
	return o
}

// news returns the messages about a changed item. The outbox sends a key once, so the key
// makes a rerun send nothing.
func (x *runner) news(h watch, c item.Change) []alert.Message {
	if x.Notify == nil || len(h.Destinations) == 0 && !x.env.Sample {
		return nil
	}
	text, ok := x.Notify(c)
	if !ok {
		return nil
	}
	key := c.Item.Key()
	if x.NotifyOnce == nil || !x.NotifyOnce(c.Item) {
		key = fmt.Sprintf("%s/%t/%d", key, c.Opened, c.When.Unix())
	}
	return h.News(key, cmp.Or(x.Channel, alert.Products), x.env.Secrets.Redact(text), x.env.Sample, c.When)
}
