package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Clock is what the agent knows of the time.
type Clock struct {
	Wall   func() time.Time     // may be years off until it is set
	Mono   func() time.Duration // since the kernel's start; never steps
	Synced func() bool          // the wall clock is right
	Kernel string               // names the kernel's run: another one, another Mono
}

// plausible is the least that a set clock shows: no reading is older than this
// program.
var plausible = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// calendar turns moments of Mono into times. Once the clock was right in this run
// of the kernel it stays so: a Pi that hears no time server for a day is seconds
// off, not years.
type calendar struct {
	clock   Clock
	any     bool // trust whatever the clock says
	trusted bool
	// offset is Wall minus Mono as it was when readings were held and the clock
	// came right. It is kept on disk, so that after a restart a held reading gets
	// the same time again and is not stored twice.
	offset time.Duration
	fixed  bool
	path   string
	wrote  func(int)
	failed func(error)
}

// fixedOffset is the file that keeps the offset.
type fixedOffset struct {
	Kernel string        `json:"kernel"`
	Offset time.Duration `json:"offset"`
}

// ok reports whether times can be told.
func (c *calendar) ok() bool {
	if !c.trusted {
		right := c.any || c.clock.Synced()
		c.trusted = right && c.clock.Wall().After(plausible)
	}
	return c.trusted
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
		c.failed(fmt.Errorf("keep when the clock was set: %w", err))
		return
	}
	c.wrote(len(text))
}

// rising makes the times of a device increase strictly, by a millisecond where
// they would not: two readings must not share a point. A clock that was set back
// by more than a few seconds is believed.
type rising map[string]time.Time

const setBack = 5 * time.Second

func (r rising) next(device string, t time.Time) time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	if last := r[device]; !t.After(last) && last.Sub(t) < setBack {
		t = last.Add(time.Millisecond)
	}
	r[device] = t
	return t
}
