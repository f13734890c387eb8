package mapping

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Watch follows the section devices of hearth.yml as the file changes, and the mappings that a
// person saved on the page.
type Watch struct {
	file    *settings.Watch[compiled]
	empty   *Set // of no file: what Set returns before a file was read
	applied *Set // used only while an Update holds the register

	mu     sync.Mutex
	read   time.Time // when the saved mappings were last read
	saved  []string
	of     *Set // the file's Set that with was compiled from
	with   *Set // with the saved mappings; nil: to be compiled
	unfile *Set // the last such Set without a file
}

// compiled is a file and its Set.
type compiled struct {
	file *settings.File
	set  *Set
}

// readEvery is how often the saved mappings are read.
const readEvery = 2 * time.Second

// NewWatch returns a Watch of a secret. It reads nothing yet.
func NewWatch(s secret.String, log *slog.Logger) *Watch {
	w := &Watch{}
	w.file = settings.NewWatch(s, log, Paths, func(f *settings.File) compiled {
		set := Compile(f)
		set.CheckNames(f, f.Warn)
		if w.empty == nil { // settings.NewWatch calls this at once, without a file
			w.empty = set
		}
		return compiled{f, set}
	})
	return w
}

// Paths are the parts of hearth.yml that a Set is compiled from.
var Paths = []string{"devices", "house.zone"}

// ReadSaved reads the mappings that were saved on the page, at most every two seconds. An error
// is the store's.
func (w *Watch) ReadSaved(ctx context.Context, st *store.Store, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if age := now.Sub(w.read); age >= 0 && age < readEvery {
		return nil
	}
	rows, err := st.PageDevices(ctx)
	if err != nil {
		return err
	}
	var saved []string
	for _, r := range rows {
		if r.Mapping != "" {
			saved = append(saved, r.Mapping)
		}
	}
	if !slices.Equal(saved, w.saved) {
		w.saved, w.with = saved, nil
	}
	w.read = now
	return nil
}

// Set returns the Set of the file as it was when devices last had no mistakes, with the saved
// mappings that ReadSaved found. The error is settings.ErrUnread if there is a file but it could
// not be read since the process began. Then the Set is empty, and messages must wait rather than
// be mapped without it. It is safe for concurrent use.
func (w *Watch) Set(now time.Time) (*Set, error) {
	c, err := w.file.Look(now) // Look has logged any error
	if errors.Is(err, settings.ErrUnread) {
		return c.set, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.saved) == 0 {
		return c.set, nil
	}
	if w.with == nil || w.of != c.set {
		w.of, w.with = c.set, compileWith(c.file, w.saved)
		if c.set == w.empty {
			w.unfile = w.with
		}
	}
	return w.with, nil
}

// FromFile reports whether a Set was compiled from a file.
func (w *Watch) FromFile(set *Set) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return set != w.empty && set != w.unfile
}

// Apply applies the settings of devices to the register if set is another than the
// last time. A Set that is not from a file changes nothing, so that earlier settings
// stay.
func (w *Watch) Apply(ctx context.Context, set *Set, u *device.Update) error {
	if w.applied == set || !w.FromFile(set) {
		return nil
	}
	if err := u.Configure(ctx, set.devices); err != nil {
		return err
	}
	w.applied = set
	return nil
}
