package mapping

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/settings"
)

// Watch follows what hearth.yml says of devices.
type Watch struct {
	file    *settings.Watch[*Set]
	none    *Set // before a file was read
	applied *Set // guarded by the register that it is applied to
}

// NewWatch reads nothing yet.
func NewWatch(s secret.String, log *slog.Logger) *Watch {
	w := &Watch{}
	w.file = settings.NewWatch(s, log, Acts, func(f *settings.File) *Set {
		set := Compile(f)
		set.CheckNames(f, f.Warn)
		if w.none == nil { // made here and now
			w.none = set
		}
		return set
	})
	return w
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

// OfFile reports that a set is what a file said.
func (w *Watch) OfFile(set *Set) bool { return set != w.none }

// Apply lets the register know what the set says of devices, once a change. A set
// that is of no file says nothing: what was known before stays.
func (w *Watch) Apply(ctx context.Context, set *Set, u *device.Update) error {
	if w.applied == set || !w.OfFile(set) {
		return nil
	}
	if err := u.Configure(ctx, set.devices); err != nil {
		return err
	}
	w.applied = set
	return nil
}
