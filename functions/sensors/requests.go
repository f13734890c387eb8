package function

import (
	"cmp"
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	requestsEvery = time.Second // at most; without other messages each canary asks, once a minute
	maxRequests   = 100
)

// passRequests adds a person's requests for dead letters to the answer: functions do
// not know the connector's address. The batch is stored already, so an error is logged
// and a later batch tries again.
func (s *sensors) passRequests(ctx context.Context, st *store.Store, now time.Time, a *wire.Answer) {
	if !due(&s.requestsTaken, now, requestsEvery) {
		return
	}
	rs, err := st.TakeDeadRequests(ctx, nil, now, maxRequests)
	if err != nil {
		s.log.Warn("requests for dead letters", "function", "sensors", "err", err)
		return
	}
	for _, r := range rs {
		p := wire.Pick{Topic: r.Topic, Function: cmp.Or(r.Function, wire.AnyFunction), ID: r.Letter, Cause: r.Cause, Before: r.Requested}
		// A request without a filter means all letters. A drop without a filter is passed on, and the connector refuses it.
		p.All = p.Topic == "" && p.ID == "" && p.Cause == "" && (r.Function != "" || r.Action == store.Replay)
		if r.Action == store.Drop {
			a.Drop = append(a.Drop, p)
		} else {
			a.Replay = append(a.Replay, p)
		}
	}
}
