package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

// failing is the rule of the alerts about targets that fail.
var failing = alert.Spec{Rule: "source-failing", Channel: alert.Pipelines, Severity: alert.Warning, Title: "A source is failing", Remind: 24 * time.Hour}

// judge returns how a run ended for a target: the target as the store keeps it, and what the
// alert about it sees. A nil err means that the target worked.
func (x *runner) judge(r store.Run, before store.Target, target string, err error, at time.Time) (store.Target, alert.Observation) {
	t := store.Target{Name: target, LastOK: at}
	o := alert.Observation{
		Key: failing.Rule + "/" + x.Name + "/" + target, Spec: failing, Subject: alert.Subject{Function: x.Name, Target: target},
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
func (x *runner) unwatched(ctx context.Context, st *store.Store, h *alert.House, why string, gone func(*alert.State) bool) (store.Alerts, error) {
	active, err := st.ActiveAlerts(ctx)
	if err != nil {
		return store.Alerts{}, err
	}
	active = slices.DeleteFunc(active, func(a alert.State) bool { return a.Function != x.Name || a.Target == "" || !gone(&a) })
	now := x.env.Now()
	return store.Unwatched(h, active, why, fmt.Sprintf("unwatched/%s/%d", x.Name, now.UnixMicro()), now), nil
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
	alerts, err := x.unwatched(ctx, st, x.notifier.House(), "It is not fetched any more: "+why, func(a *alert.State) bool { return !a.Sample || !x.env.Sample })
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
func (x *runner) closeLists(ctx context.Context, st *store.Store, h *alert.House, r store.Run) error {
	alerts, err := x.unwatched(ctx, st, h, "It is not fetched any more.", func(a *alert.State) bool {
		return a.Sample != x.env.Sample || !slices.Contains(x.Targets, a.Target)
	})
	if err != nil {
		return err
	}
	_, err = st.CloseLists(ctx, r, x.Targets, alerts)
	return err
}

// changed returns what the items that opened or closed in a run change: alerts, and news.
func (x *runner) changed(h *alert.House, r store.Run) func([]item.Change) (store.Alerts, []alert.Message) {
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
		return store.Observed(h, observations, x.env.Now()), messages
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
func (x *runner) news(h *alert.House, c item.Change) []alert.Message {
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
