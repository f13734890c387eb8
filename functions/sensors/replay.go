package function

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// mappingReplay is how far dead letters of new mappings were requested.
type mappingReplay struct {
	set   *mapping.Set // the last set whose dead letters were requested
	known []string     // mappings whose dead letters were replayed, as the store has them
	read  bool         // known was read from the store
}

// replayMappings adds replay requests to the answer: for dead letters that new or
// changed mappings match, and for messages that waited too long for hearth.yml to be
// read. The store learns that a mapping's letters were replayed only after the last
// request, so that a process that is killed before that requests them again. The batch
// is stored already, so an error is logged and a later batch tries again.
func (s *sensors) replayMappings(ctx context.Context, st *store.Store, set *mapping.Set, now time.Time, a *wire.Answer) {
	s.replayMu.Lock()
	defer s.replayMu.Unlock()
	m := &s.replayState
	if !m.read {
		known, err := st.NamedMappings(ctx)
		if err != nil {
			s.log.Warn("mappings", "function", "sensors", "err", err)
			return
		}
		m.known, m.read = known, true
	}
	if m.set != set {
		m.set = set
		var picks []wire.Pick
		if set.FromFile() {
			picks = append(picks, wire.Pick{Reason: settings.ErrUnread.Error()})
		}
		for _, filter := range set.NewFilters(m.known) {
			picks = append(picks, wire.Pick{Topic: filter})
		}
		s.replays.Add(picks...)
	}
	sources := set.Hashes()
	if !s.replays.Answer(a, now) || slices.Equal(sources, m.known) {
		return
	}
	if err := st.SetNamedMappings(ctx, sources); err != nil {
		s.log.Warn("mappings", "function", "sensors", "err", err)
		return
	}
	m.known = sources
}
