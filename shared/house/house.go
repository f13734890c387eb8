// Package house loads what decides who is told what: hearth.yml, the dates that buttons
// set, and the alerts that are active.
package house

import (
	"context"
	"slices"
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
	file   *settings.Watch[decisions]
	sender *notify.Sender

	mu     sync.Mutex
	house  *alert.House // nil: not loaded yet
	rules  *rules.Set
	loaded time.Time
}

// New returns a Loader that reads hearth.yml from the secret s. The destinations are those
// of env. It does no I/O.
func New(env serve.Env, s secret.String) *Loader {
	c, _ := config.Parse[notify.Config](env.Env) // the function parses it too, and says what is wrong
	return &Loader{file: settings.NewWatch(s, env.Log, paths, decide), sender: notify.New(c, env)}
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
	err := l.file.ReadSaved(ctx, st, now)
	d, _ := l.file.Look(now) // Look has logged any error
	h := d.house(l.sender.House(), now)
	if err == nil {
		err = read(ctx, st, h, now)
	}
	if err != nil {
		if l.house == nil {
			return nil, nil, err
		}
		l.loaded = now // else each batch would wait for the store again
		return l.house, l.rules, nil
	}
	l.house, l.rules, l.loaded = h, d.rules, now
	return h, d.rules, nil
}

// rootRules are the rules of the alerts that may explain others.
var rootRules = []string{rules.BrokerSilent, rules.BridgeOffline, rules.NodeOffline, rules.DeviceOffline, rules.UPSLinkLost, rules.StoreAway}

// read adds to h what the store has.
func read(ctx context.Context, st *store.Store, h *alert.House, now time.Time) error {
	active, err := st.ActiveAlerts(ctx)
	if err != nil {
		return err
	}
	dates, err := st.UntilDates(ctx, now)
	if err != nil {
		return err
	}
	h.Active, h.Roots, h.Silences = make(map[string]bool, len(active)), map[string]bool{}, map[string]time.Time{}
	for _, a := range active {
		h.Active[a.Key] = true
		if (a.Open() || a.Phase == alert.Pending) && slices.Contains(rootRules, a.Rule) {
			h.Roots[a.Key] = true
		}
	}
	for _, d := range dates {
		to := h.Maintenance
		if d.Kind == store.Silence {
			to = h.Silences
		}
		if d.Until.After(to[d.Subject]) {
			to[d.Subject] = d.Until
		}
	}
	return nil
}

// decisions is what hearth.yml says.
type decisions struct {
	zone        *time.Location
	quiet       []alert.QuietHours
	maintenance []maintenance
	away        time.Time // until then
	rules       *rules.Set
}

// paths are the parts of hearth.yml that are used.
var paths = []string{"devices", "house.zone", "rules", "quiet_hours", "away", "maintenance"}

func decide(f *settings.File) decisions {
	d := decisions{zone: f.House.Zone.Location(), away: f.Away.Until, rules: rules.Compile(f, mapping.Compile(f).Measurements())}
	for i, q := range f.QuietHours {
		hours := alert.QuietHours{From: q.From.SinceMidnight(), To: q.To.SinceMidnight()}
		for _, day := range q.Days {
			hours.Days = append(hours.Days, day.Weekday())
		}
		if !f.Broken(pathOf("quiet_hours", i)) {
			d.quiet = append(d.quiet, hours)
		}
	}
	for _, dev := range f.Devices {
		if len(dev.Device) == 1 {
			d.maintenance = append(d.maintenance, maintenance{"device/" + dev.Device[0], time.Time{}, dev.Maintenance})
		}
	}
	for _, m := range f.Maintenance {
		for _, subject := range Subjects(m) {
			d.maintenance = append(d.maintenance, maintenance{subject, m.From, m.Until})
		}
	}
	return d
}

// maintenance is of a subject, from a time (zero: since it is in hearth.yml) until another.
type maintenance struct {
	subject     string
	from, until time.Time
}

// house adds to h what hearth.yml says as of now.
func (d *decisions) house(h *alert.House, now time.Time) *alert.House {
	h.Zone, h.QuietHours, h.Away = d.zone, d.quiet, now.Before(d.away)
	h.Maintenance = make(map[string]time.Time, len(d.maintenance))
	for _, m := range d.maintenance {
		if !m.from.After(now) && m.until.After(now) && m.until.After(h.Maintenance[m.subject]) {
			h.Maintenance[m.subject] = m.until
		}
	}
	return h
}

// Of returns the house and the rules of a file of settings as of now, without what the
// store has.
func Of(f *settings.File, now time.Time) (*alert.House, *rules.Set) {
	d := decide(f)
	return d.house(&alert.House{}, now), d.rules
}
