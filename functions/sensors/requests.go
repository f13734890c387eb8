package function

import (
	"cmp"
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	askEvery  = time.Second // with canaries alone it is a minute
	askAtOnce = 100
)

// requests puts into the answer what a person asked for dead letters: no function
// knows where a connector is. The batch is stored: what goes wrong here is tried
// again with a later one.
func (s *sensors) requests(ctx context.Context, st *store.Store, now time.Time, a *wire.Answer) {
	if !due(&s.asked, now, askEvery) {
		return
	}
	rs, err := st.TakeDeadRequests(ctx, nil, now, askAtOnce)
	if err != nil {
		s.log.Warn("requests for dead letters", "function", "sensors", "err", err)
		return
	}
	for _, r := range rs {
		p := wire.Pick{Topic: r.Topic, Function: cmp.Or(r.Function, wire.AnyFunction), ID: r.Letter, Cause: r.Cause, Before: r.Requested}
		// Nothing named means all letters, but not for a drop: the connector refuses that.
		p.All = p.Topic == "" && p.ID == "" && p.Cause == "" && (r.Function != "" || r.Action == store.Replay)
		if r.Action == store.Drop {
			a.Drop = append(a.Drop, p)
		} else {
			a.Replay = append(a.Replay, p)
		}
	}
}
