package function

import (
	"context"
	"slices"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// foundMappings is which mappings found something in some message. A message in which
// such a mapping finds nothing is not meant for it; where a mapping never found anything,
// its paths may be wrong. The store keeps it, for restarts.
type foundMappings struct {
	hashes []string     // as the store has them
	read   bool         // hashes were read from the store
	set    *mapping.Set // the last set that was told
}

// rememberFound tells a new set which of its mappings found something before. An error is
// the store's.
func (s *sensors) rememberFound(ctx context.Context, st *store.Store, set *mapping.Set) error {
	s.foundMu.Lock()
	defer s.foundMu.Unlock()
	f := &s.foundState
	if !f.read && set.FromFile() {
		hashes, err := st.FoundMappings(ctx)
		if err != nil {
			return err
		}
		f.hashes, f.read = hashes, true
	}
	if f.set != set {
		f.set = set
		set.Remember(f.hashes)
	}
	return nil
}

// keepFound stores which mappings found something for the first time, and requests a
// replay of the messages that were refused because they had not yet. The batch is stored
// already, so an error is logged, and after a restart the mappings may refuse a message
// until they find something again.
func (s *sensors) keepFound(ctx context.Context, st *store.Store, set *mapping.Set) {
	s.foundMu.Lock()
	defer s.foundMu.Unlock()
	found, filters, ok := set.NewlyFound()
	if !ok {
		return
	}
	for _, filter := range filters {
		s.replays.Add(wire.Pick{Topic: filter, Reason: mapping.NothingFound})
	}
	f := &s.foundState
	known := set.Hashes()
	for _, hash := range f.hashes { // another process may have stored them
		if slices.Contains(known, hash) && !slices.Contains(found, hash) {
			found = append(found, hash)
		}
	}
	if err := st.SetFoundMappings(ctx, found); err != nil {
		s.log.Warn("mappings", "function", "sensors", "err", err)
		return
	}
	f.hashes = found
}
