package mapping

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Watch follows what hearth.yml says of devices.
type Watch struct {
	file    *settings.Watch[*Set]
	applied *Set // guarded by the register that it is applied to
}

// NewWatch reads nothing yet.
func NewWatch(s secret.String, log *slog.Logger) *Watch {
	return &Watch{file: settings.NewWatch(s, log, Acts, func(f *settings.File) *Set {
		set := Compile(f)
		set.CheckNames(f, f.Warn)
		return set
	})}
}

// Acts are the paths of hearth.yml that a Set is made of.
var Acts = []string{"devices", "house.zone"}

// Set returns what the file says, or said when it was last without mistakes in
// devices. The error says that there are settings and that they could not be read
// since the process began: the set is none to act on.
func (w *Watch) Set(now time.Time) (*Set, error) {
	set, err := w.file.Look(now) // it has logged what is wrong
	if !errors.Is(err, settings.ErrUnread) {
		err = nil
	}
	return set, err
}

// Apply lets the register know what the set says of devices, once a change. It
// returns the filters of mappings that are new or changed: what they want may wait among
// the dead letters.
func (w *Watch) Apply(ctx context.Context, set *Set, u *device.Update) (fresh []string, err error) {
	if w.applied == set {
		return nil, nil
	}
	if err := u.Configure(ctx, set.after(w.applied)); err != nil {
		return nil, err
	}
	if w.applied != nil {
		fresh = set.fresh(w.applied)
	}
	w.applied = set
	return fresh, nil
}

// after is what the register should know where it was told old before: a device
// that is no longer in hearth.yml has no name, no room and no maintenance by it.
func (s *Set) after(old *Set) (out []store.DeviceSetting) {
	if old != nil {
		for _, d := range old.devices {
			if !slices.ContainsFunc(s.devices, func(now store.DeviceSetting) bool { return now.Device == d.Device }) {
				out = append(out, store.DeviceSetting{Device: d.Device, Kind: d.Kind})
			}
		}
	}
	return append(out, s.devices...) // behind: one may replace what is gone
}
