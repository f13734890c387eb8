package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/why"
)

// Why returns how far the messages of a device come, by its id or name. Of an unknown one
// the error names the nearest.
func (h *Installation) Why(ctx context.Context, device string, now time.Time) (r why.Report, err error) {
	err = h.withStore(ctx, func(st *store.Store) error {
		if r, err = why.Device(ctx, st, device, now); !errors.Is(err, why.ErrUnknown) {
			return err
		}
		all, err := st.Devices(ctx)
		if err != nil {
			return err
		}
		var ids []string
		for _, d := range all {
			ids = append(ids, d.ID)
		}
		hint := fmt.Sprintf("it has %d", len(all))
		if near := nearest.Of(device, ids); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return fmt.Errorf("no device %q is in the register: %s", device, hint)
	})
	if errors.Is(err, errNoDatabase) {
		return r, errors.New("no device is known: nothing has run yet")
	}
	s, _ := h.watchSettings(slog.New(slog.DiscardHandler)).Look(now) // with mistakes in hearth.yml the times are in UTC
	r.Zone = s.file.House.Zone.Location()
	return r, err
}
