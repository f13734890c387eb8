package mapping

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/secret"
)

const lookAgain = 3 * time.Second

// Watch reads hearth.yml again when it changes. A bad file keeps the last good
// one and says so once.
type Watch struct {
	secret secret.String
	log    *slog.Logger

	mu     sync.Mutex
	looked time.Time
	file   string
	set    *Set

	applied *Set // guarded by the register that it is applied to
}

// NewWatch reads nothing yet.
func NewWatch(s secret.String, log *slog.Logger) *Watch {
	return &Watch{secret: s, log: log, set: &Set{byTopic: map[string][]*rule{}}}
}

// Set returns what the file says, or said when it was last without mistakes.
func (w *Watch) Set(now time.Time) *Set {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.looked.IsZero() && now.Sub(w.looked) < lookAgain && !now.Before(w.looked) {
		return w.set
	}
	w.looked = now
	file := w.secret.Reveal()
	if file == w.file || file == "" { // none, or being written
		return w.set
	}
	w.file = file
	set, err := Parse([]byte(file))
	if err != nil {
		w.log.Error("hearth.yml is kept as it was", "err", err)
		return w.set
	}
	w.log.Info("hearth.yml read", "mappings", len(set.rules), "devices", len(set.settings))
	w.set = set
	return set
}

// Apply lets the register know what the set says of devices, once a change. It
// returns the filters of mappings that are new or changed: what they want may wait among
// the dead letters.
func (w *Watch) Apply(ctx context.Context, set *Set, b *device.Batch) (fresh []string, err error) {
	if w.applied == set {
		return nil, nil
	}
	if err := b.Configure(ctx, set.settings); err != nil {
		return nil, err
	}
	if w.applied != nil {
		fresh = set.fresh(w.applied)
	}
	w.applied = set
	return fresh, nil
}
