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

// mapped is how far the dead letters are asked for that mappings of hearth.yml want.
type mapped struct {
	set   *mapping.Set // whose letters were asked for
	known []string     // mappings whose letters came, as the store has them
	read  bool         // known is read
}

// replay puts into the answer the dead letters that new and changed mappings want,
// and those of messages that waited too long for hearth.yml to be read. The store
// keeps that they came only when they are not asked for any more, so that a process
// that is killed before is followed by one that asks. The batch is stored: what goes
// wrong here is tried again with a later one.
func (s *sensors) replay(ctx context.Context, st *store.Store, set *mapping.Set, now time.Time, a *wire.Answer) {
	s.mapping.Lock()
	defer s.mapping.Unlock()
	m := &s.mapped
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
		if s.watch.OfFile(set) {
			picks = append(picks, wire.Pick{Reason: settings.ErrUnread.Error()})
		}
		for _, filter := range set.Fresh(m.known) {
			picks = append(picks, wire.Pick{Topic: filter})
		}
		s.replays.Add(picks...)
	}
	sources := set.Sources()
	if !s.replays.Answer(a, now) || slices.Equal(sources, m.known) {
		return
	}
	if err := st.SetNamedMappings(ctx, sources); err != nil {
		s.log.Warn("mappings", "function", "sensors", "err", err)
		return
	}
	m.known = sources
}
