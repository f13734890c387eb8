package agent

import (
	"encoding/json"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/wire"
)

// Clock is what the agent knows of the time.
type Clock struct {
	Wall   func() time.Time     // may be years off until it is set
	Mono   func() time.Duration // since the kernel's start; never steps
	Synced func() bool          // the wall clock is right
	Kernel string               // names the kernel's run: another one, another Mono
}

// started is when this program did.
var started = time.Now()

// plausible is the least that a set clock shows: no reading is older than this
// program.
var plausible = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// calendar turns moments of Mono into times. A clock that was right once counts as
// right until the kernel ends: a Pi that hears no time server for a day is seconds
// off, not years. Only the delivery's goroutine uses it, except for isSet and now.
type calendar struct {
	clock   Clock
	trust   bool // the clock, whatever it shows
	path    string
	log     *slog.Logger
	monitor *monitor

	trusted bool
	shown   atomic.Bool // trusted, for others
	// offset is Wall minus Mono as it was when readings were held and the clock
	// came right. It is kept on disk, so that after a restart a held reading gets
	// the same time again and is not stored twice.
	offset time.Duration
	fixed  bool

	hold   time.Duration // how long readings wait for the clock
	waited time.Duration // while they could have been sent
	gaveUp bool
}

func newCalendar(clock Clock, trust bool, hold time.Duration, path string, log *slog.Logger, m *monitor) *calendar {
	c := &calendar{clock: clock, trust: trust, hold: hold, path: path, log: log, monitor: m}
	c.shown.Store(c.ok())
	return c
}

// fixedOffset is the file that keeps the offset.
type fixedOffset struct {
	Kernel string        `json:"kernel"`
	Offset time.Duration `json:"offset"`
}

// ok reports whether times can be told.
func (c *calendar) ok() bool {
	if !c.trusted {
		right := c.trust || c.clock.Synced()
		c.trusted = right && c.clock.Wall().After(plausible)
	}
	return c.trusted
}

// isSet reports what ok did last. Any goroutine may ask.
func (c *calendar) isSet() bool { return c.shown.Load() }

// look sees whether the clock was set since, and shows and logs it.
func (c *calendar) look() {
	if ok := c.ok(); c.shown.Swap(ok) != ok {
		c.log.Info("the clock is set", "time", c.now().UTC())
	}
}

// wait counts for how long the broker was there but no time, and gives up waiting
// once that is hold.
func (c *calendar) wait(passed time.Duration) {
	if c.ok() {
		return
	}
	if c.waited += passed; c.waited >= c.hold && !c.gaveUp {
		c.gaveUp = true
		c.log.Warn("the clock is still not set; readings go out without their time", "after", c.hold)
	}
}

// date gives a reading that was held its time, or marks it where that will never be
// known. It is false where it may be yet.
func (c *calendar) date(r *record) bool {
	switch {
	case r.Held == nil:
	case r.Held.Kernel != c.clock.Kernel:
		r.unsynced() // its clock was never set
	case c.ok():
		r.Time = c.at(r.Held.Mono).Format(wire.TimeLayout)
		r.Held = nil
	case c.gaveUp:
		r.unsynced()
	default:
		return false
	}
	return true
}

// now is the time.
func (c *calendar) now() time.Time { return c.clock.Wall() }

// at is the time of a moment of this kernel's run. The first call fixes the
// offset for good.
func (c *calendar) at(mono time.Duration) time.Time {
	if !c.fixed {
		c.fix()
	}
	return time.Unix(0, int64(c.offset+mono)).UTC().Truncate(time.Millisecond)
}

func (c *calendar) fix() {
	c.fixed = true
	var f fixedOffset
	text, err := os.ReadFile(c.path)
	if err == nil && json.Unmarshal(text, &f) == nil && f.Kernel == c.clock.Kernel {
		c.offset = f.Offset
		return
	}
	c.offset = time.Duration(c.clock.Wall().UnixNano()) - c.clock.Mono()
	if text, err = json.Marshal(fixedOffset{c.clock.Kernel, c.offset}); err == nil {
		err = driver.WriteFile(c.path, text)
	}
	if err != nil {
		c.log.Error("keep when the clock was set", "err", err)
		return
	}
	c.monitor.wrote(len(text))
}
