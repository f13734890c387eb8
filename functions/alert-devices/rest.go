package function

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/why"
)

const (
	longPause = 5 * time.Minute  // hearth was off for so long at least when that is told
	grace     = 10 * time.Minute // after it is back, before it is told which devices are not
)

// rest says of the alerts of other functions what only the states of devices show: that
// their data has stopped, and what the latest values say.
func (t *tick) rest() (out []alert.Observation) {
	for _, key := range slices.Sorted(maps.Keys(t.active)) {
		s := t.active[key]
		if d := t.devices[s.Device]; d != nil && s.Field != "" && !ours(&s) && t.missing(d, s.Field) {
			out = append(out, alert.Observation{Key: key, Verdict: alert.NoData, At: t.now})
		}
	}
	return append(out, t.rules.Latest(slices.Collect(maps.Values(t.active)), t.states, t.house.Away)...)
}

// missing reports whether a metric of a device comes no more.
func (t *tick) missing(d *device, field string) bool {
	limit := d.limit
	if !d.watched {
		limit = unknownLimit
	}
	if d.online != nil && d.online.Value == 0 || t.now.Sub(d.seen) >= limit {
		return true
	}
	for i := range d.states {
		if s := &d.states[i]; s.Metric == field {
			limit, ok := t.f.memory.stream(metric{d.ID, field}).MetricLimit(t.now)
			return ok && t.now.Sub(why.Seen(*s)) >= limit
		}
	}
	return true
}

const unknownLimit = 25 * time.Hour // of a device whose silence says nothing

// unwatch ends the alerts of what is gone from the settings.
func (t *tick) unwatch(ctx context.Context) error {
	for _, key := range slices.Sorted(maps.Keys(t.active)) {
		s := t.active[key]
		reason := t.gone(&s)
		if reason == "" {
			continue
		}
		err := t.change(ctx, []string{key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return t.house.Unwatch(inOrder(before, []string{key}), reason, t.now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// gone returns why an alert is no longer watched; "": it is.
func (t *tick) gone(s *alert.State) string {
	if s.Device != "" {
		d := t.devices[s.Device]
		switch {
		case d == nil:
			return "The device is no longer registered."
		case d.ReplacedBy != "":
			return "The device was replaced by " + cmp.Or(t.name(d.ReplacedBy), d.ReplacedBy) + "."
		case ours(s) && !d.bound:
			return "The device was removed."
		}
	}
	if reason, ok := t.rules.Watches(*s); !ok {
		return cmp.Or(reason, "The rule is switched off.")
	}
	if s.Rule == rules.BrokerSilent && t.canary.IsZero() {
		return "No connector publishes any more."
	}
	return ""
}

func (t *tick) name(device string) string {
	if d := t.devices[device]; d != nil {
		return d.Name
	}
	return ""
}

// tellPause tells, some minutes after hearth is back, when it was off and what has not
// reported since.
func (t *tick) tellPause(ctx context.Context) error {
	if t.watch.From.IsZero() || t.now.Sub(t.watch.Since) < grace {
		return nil
	}
	spec, on := t.rules.Spec(rules.PowerCut, "", "")
	if on && !t.f.outage.ended.After(t.watch.From) {
		messages := t.house.News(fmt.Sprintf("%s/%d", rules.PowerCut, t.watch.From.Unix()), spec.Channel, t.pauseText(spec), false, t.now)
		for i := range messages {
			if spec.Severity != alert.Critical {
				messages[i].Due = t.house.QuietUntil(t.now)
			}
		}
		err := t.change(ctx, []string{rules.PowerCut}, func(map[string]alert.State) ([]alert.State, []alert.Message) { return nil, messages })
		if err != nil {
			return err
		}
	}
	t.watch.From = time.Time{}
	return nil
}

// pauseText says when hearth was off, and which devices reported before and have not yet
// reported again.
func (t *tick) pauseText(spec alert.Spec) string {
	text := fmt.Sprintf("%s from %s to %s (%s): the power was out, or it was stopped.", spec.Title,
		t.house.When(t.watch.From, t.now), t.house.When(t.watch.Since, t.now), alert.Span(t.watch.Since.Sub(t.watch.From)))
	var missing []string
	for _, d := range t.watched {
		before := d.watched && t.watch.From.Sub(d.seen) < d.limit
		if before && d.seen.Before(t.watch.Since) && t.now.Sub(t.watch.Since) >= d.limit/3 && !d.sample {
			missing = append(missing, d.ID)
		}
	}
	if len(missing) == 0 {
		return text + "\nAll devices that report regularly are back."
	}
	return text + "\nNot back yet: " + t.names(missing, mostNames) + "."
}
