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

// Watch follows the section devices of hearth.yml as the file changes, and the mappings that a
// person saved on the page.
type Watch struct {
	*settings.Watch[*Set]
	empty   *Set // of no file
	applied *Set // used only while an Update holds the register
}

// NewWatch returns a Watch of a secret. It reads nothing yet.
func NewWatch(s secret.String, log *slog.Logger) *Watch {
	return &Watch{empty: Compile(&settings.File{Absent: true}), Watch: settings.NewWatch(s, log, Paths, func(f *settings.File) *Set {
		set := Compile(f)
		set.CheckNames(f, f.Warn)
		return set
	})}
}

// Paths are the parts of hearth.yml that a Set is compiled from.
var Paths = []string{"devices", "house.zone"}

// Set returns the Set of the file as it was when devices last had no mistakes, with the saved
// mappings that ReadSaved found. The error is settings.ErrUnread if there is a file but it could
// not be read since the process began. Then the Set is empty, and messages must wait rather than
// be mapped without it. It is safe for concurrent use.
func (w *Watch) Set(now time.Time) (*Set, error) {
	set, err := w.Look(now) // Look has logged any error
	if errors.Is(err, settings.ErrUnread) {
		return w.empty, err
	}
	return set, nil
}

// Apply applies the settings of devices to the register if set is another than the
// last time. A Set that is not from a file changes nothing, so that earlier settings
// stay.
func (w *Watch) Apply(ctx context.Context, set *Set, u *device.Update) error {
	if w.applied == set || !set.fromFile {
		return nil
	}
	if err := u.Configure(ctx, set.devices); err != nil {
		return err
	}
	w.applied = set
	return nil
}
