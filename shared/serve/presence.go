package serve

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/store"
)

// Config is what every function reads from the environment.
type Config struct {
	Schedule string `env:"SCHEDULE"` // cron expression by which the function is called, the same as its annotation schedule; it says when a run is overdue
}

const (
	seenEvery = time.Minute
	seenTime  = 2 * time.Second // that a call waits for the database
	lookAhead = 8 * 24 * time.Hour
	maxRuns   = 20_000 // looked ahead: more than a minute's schedule has in eight days
)

// version is set by the images' build (VERSION in the Dockerfile).
var version string

// Presence keeps a function's row in the store: that it is there, since when it
// was last called and how often it should be.
type Presence struct {
	env      Env
	function store.Function

	mu   sync.Mutex
	last time.Time
}

// NewPresence returns that of the function name. A SCHEDULE that cannot be read
// is logged: nobody will miss its runs then.
func NewPresence(env Env, name string) (*Presence, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	p := &Presence{env: env, function: store.Function{Name: name, Schedule: c.Schedule, Version: buildVersion()}}
	if p.function.Period, err = period(c.Schedule, env.Now()); err != nil {
		env.Log.Warn("SCHEDULE cannot be read", "function", name, "schedule", c.Schedule, "err", err)
	}
	return p, nil
}

// Seen says at the first call, and at most once a minute after it, that the
// function is there. It fails no call: what cannot be stored is logged.
func (p *Presence) Seen(ctx context.Context, configured bool) {
	now := p.env.Now()
	p.mu.Lock()
	since := now.Sub(p.last)
	due := p.last.IsZero() || since >= seenEvery || since < 0
	if due {
		p.last = now
	}
	p.mu.Unlock()
	if !due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seenTime)
	defer cancel()
	f := p.function
	f.Configured, f.LastSeen = configured, now
	st, err := p.env.Open(ctx)
	if err == nil {
		err = st.SaveFunction(ctx, f)
	}
	if err != nil {
		p.env.Log.Warn("not noted as seen", "function", f.Name, "err", err)
	}
}

// ParseSchedule reads a schedule as the OpenFaaS cron-connector does: five fields,
// or @every 1h, with CRON_TZ= in front if wanted. It is in UTC without.
func ParseSchedule(s string) (cron.Schedule, error) {
	if strings.Contains(s, "TZ=") && !strings.Contains(s, " ") {
		return nil, errors.New("a zone and no schedule") // the parser would panic
	}
	return cron.ParseStandard(s)
}

// period is the longest time between two runs of a schedule in the days after
// now; 0 for none.
func period(schedule string, now time.Time) (time.Duration, error) {
	if schedule == "" {
		return 0, nil
	}
	plan, err := ParseSchedule(schedule)
	if err != nil {
		return 0, err
	}
	var longest time.Duration
	start := now.UTC() // as the cron-connector's container
	at := plan.Next(start)
	for n := 0; !at.IsZero() && n < maxRuns && (longest == 0 || at.Sub(start) < lookAhead); n++ {
		next := plan.Next(at)
		longest, at = max(longest, next.Sub(at)), next
	}
	return longest, nil
}

// buildVersion is what the image's build was given, else what Go knows of the
// commit, else "devel".
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
