package source

import (
	"context"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	nearlySpent   = 0.9       // part of a quota
	watchedWindow = time.Hour // shortest window of a quota that is watched: a run may use a whole minute's calls
)

// Minute returns the quota of an upstream that allows limit calls a minute, for a
// source that needs a given number of calls per run. It reserves the calls of one
// scheduled run. It reserves fewer where a manual rerun would otherwise have no
// calls left: a list of targets that uses the whole minute can then still be rerun.
func Minute(key string, limit, needs int) *store.Quota {
	return &store.Quota{Key: key, Limit: limit, Window: time.Minute, Reserve: min(needs, max(limit-needs, 0))}
}

// quotas returns what the alerts about the function's quotas see: whether nearly all calls of
// a window are used, and the schedule has another run in it.
func (x *runner) quotas(ctx context.Context, st *store.Store, r store.Run, now time.Time) ([]alert.Observation, error) {
	if x.Quota == nil || x.env.Sample {
		return nil, nil
	}
	var out []alert.Observation
	done := map[string]bool{}
	for _, target := range x.Targets {
		q := x.Quota(target)
		if q == nil || q.Window < watchedWindow || done[q.Key] {
			continue
		}
		done[q.Key] = true
		used, until, err := st.Used(ctx, *q, now)
		if err != nil {
			return nil, err
		}
		value, limit := float64(used), float64(q.Limit)
		o := alert.Observation{Key: rules.Quota + "/" + q.Key, Spec: alert.Spec{Rule: rules.Quota}, Subject: alert.Subject{Function: x.Name, Name: q.Key},
			Verdict: alert.Good, At: now, Value: &value, Limit: &limit, Unit: "calls", Group: "run/" + r.ID,
			Text: fmt.Sprintf("%d of %d calls are used until %s.", used, q.Limit, until.UTC().Format("15:04 UTC on 2 January"))}
		if period := x.presence.Period(); value >= nearlySpent*limit {
			o.Verdict = alert.Between
			if period > 0 && now.Add(period).Before(until) {
				o.Verdict = alert.Bad
			}
		}
		out = append(out, o)
	}
	return out, nil
}
