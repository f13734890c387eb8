// Package house loads what decides who is told what: hearth.yml, the dates that buttons
// set, and the alerts that are active.
package house

import (
	"context"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// keepTime is how long a House is used before the store is read again.
const keepTime = 3 * time.Second

// Loader loads the House and the rules. It is safe for concurrent use.
type Loader struct {
	file     *settings.Watch[compiled]
	notifier *notify.Sender

	mu     sync.Mutex
	house  *alert.House
	rules  *rules.Set
	loaded time.Time
}

// compiled is what hearth.yml says.
type compiled struct {
	house alert.House
	rules *rules.Set
}

// paths are the parts of hearth.yml that are used.
var paths = []string{"devices", "house.zone", "rules", "quiet_hours"}

// New returns a Loader that reads hearth.yml from the secret s. The destinations are those
// of env. It does no I/O.
func New(env serve.Env, s secret.String) *Loader {
	c, _ := config.Parse[notify.Config](env.Env) // the function parses it too, and says what is wrong
	return &Loader{file: settings.NewWatch(s, env.Log, paths, compile), notifier: notify.New(c, env)}
}

func compile(f *settings.File) compiled {
	return compiled{alert.House{Zone: f.House.Zone.Location()}, rules.Compile(f, mapping.Compile(f).Measurements())}
}

// Load returns the House and the rules, as they were at most 3 s ago; the caller must not
// change them. If the store cannot be read, it returns the last ones. An error is the
// store's, before it was read for the first time.
func (l *Loader) Load(ctx context.Context, st *store.Store, now time.Time) (*alert.House, *rules.Set, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if age := now.Sub(l.loaded); l.house != nil && age >= 0 && age < keepTime {
		return l.house, l.rules, nil
	}
	c, _ := l.file.Look(now) // Look has logged any error
	h, to := c.house, l.notifier.House()
	h.Destinations, h.Mode, h.URL = to.Destinations, to.Mode, to.URL
	l.house, l.rules, l.loaded = &h, c.rules, now
	return l.house, l.rules, nil
}
