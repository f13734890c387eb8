package function

import (
	"context"
	"maps"
	"slices"

	"github.com/hearth-home/hearth/shared/store"
)

const maxRefused = 2000 // devices that are remembered of each base topic

// refusal is a device of the bridge's list for which the register had no room.
type refusal struct {
	metric  string // of the list
	request store.DeviceRequest
	reason  error
}

// keepRefused remembers which requests of a list the register had no room for, so that
// they are adopted once there is room: the bridge may not publish its list again for
// weeks. It returns the first reason, nil if there was room for all.
func (w *work) keepRefused(base, metric string, requests []store.DeviceRequest) (first error) {
	kept := w.z.refused[base]
	if kept == nil {
		kept = map[string]refusal{}
		w.z.refused[base] = kept
	}
	for name, r := range kept {
		if r.metric == metric {
			delete(kept, name)
		}
	}
	for _, q := range requests {
		if w.b.Find([]byte(q.Physical)) != nil {
			continue
		}
		reason := w.b.Refused([]byte(q.Physical), q.Kind, q.Publisher)
		if first == nil {
			first = reason
		}
		if len(kept) < maxRefused {
			kept[q.Name] = refusal{metric, q, reason}
		}
	}
	return first
}

// adoptRefused adopts remembered devices if the register has changed since the last
// try. Their dead letters are to be replayed.
func (w *work) adoptRefused(ctx context.Context) error {
	if w.b.Version() == w.z.tried {
		return nil
	}
	for _, base := range w.z.bases {
		byList := map[string][]store.DeviceRequest{}
		for _, name := range slices.Sorted(maps.Keys(w.z.refused[base])) {
			r := w.z.refused[base][name]
			byList[r.metric] = append(byList[r.metric], r.request)
		}
		for metric, requests := range byList {
			before := w.names(base)
			if err := w.b.Adopt(ctx, requests); err != nil {
				return err
			}
			w.replayNew(base, before)
			w.keepRefused(base, metric, requests)
		}
	}
	w.z.tried = w.b.Version()
	return nil
}
