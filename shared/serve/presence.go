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

// Config has the settings that every function reads from the environment.
type Config struct {
	Schedule string `env:"SCHEDULE"` // cron expression by which the function is called, the same as its annotation schedule; used to find overdue runs
}

const (
	seenEvery = time.Minute
	seenTime  = 2 * time.Second    // how long a call waits for the database
	lookAhead = 8 * 24 * time.Hour // how far period looks
	maxRuns   = 20_000             // more than a schedule of every minute has in lookAhead
)

// version is set by the linker when an image is built (VERSION in the Dockerfile).
var version string

// Presence keeps a function's row in the store up to date: when it was last called,
// whether it is configured, its version and its schedule. It is safe for concurrent
// use.
type Presence struct {
	env      Env
	function store.Function

	mu   sync.Mutex
	last time.Time // when the row was last written
}

// NewPresence returns the Presence of the function name. An invalid SCHEDULE is only
// logged; overdue runs of this function are then not found.
func NewPresence(env Env, name string) (*Presence, error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	p := &Presence{env: env, function: store.Function{Name: name, Schedule: c.Schedule, Version: buildVersion()}}
	if p.function.Period, err = period(c.Schedule, env.Now()); err != nil {
		env.Log.Warn("invalid SCHEDULE", "function", name, "schedule", c.Schedule, "err", err)
	}
	return p, nil
}

// Seen records a call of the function. It writes the row at the first call and then at
// most once a minute. An error is logged, so that it fails no call.
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
		p.env.Log.Warn("the function's row cannot be written", "function", f.Name, "err", err)
	}
}

// Period returns the longest time between two runs by the schedule; 0: there is none.
func (p *Presence) Period() time.Duration { return p.function.Period }

// ParseSchedule parses a schedule as the OpenFaaS cron-connector does: five fields or
// @every 1h, with an optional CRON_TZ= in front. Without CRON_TZ= the schedule is in
// UTC.
func ParseSchedule(s string) (cron.Schedule, error) {
	if strings.Contains(s, "TZ=") && !strings.Contains(s, " ") {
		return nil, errors.New("a time zone without a schedule") // the parser would panic
	}
	return cron.ParseStandard(s)
}

// period returns the longest time between two runs of a schedule in the eight days
// after now. It is 0 for an empty schedule and for one that never runs.
func period(schedule string, now time.Time) (time.Duration, error) {
	if schedule == "" {
		return 0, nil
	}
	plan, err := ParseSchedule(schedule)
	if err != nil {
		return 0, err
	}
	var longest time.Duration
	start := now.UTC() // the time zone of the cron-connector's container
	at := plan.Next(start)
	for n := 0; !at.IsZero() && n < maxRuns && (longest == 0 || at.Sub(start) < lookAhead); n++ {
		next := plan.Next(at)
		longest, at = max(longest, next.Sub(at)), next
	}
	return longest, nil
}

// buildVersion returns the version that the linker set, or else the one in Go's build
// information, or else "devel".
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
