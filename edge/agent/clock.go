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

// clock gives the agent wall time and monotonic time.
type clock struct {
	wall   func() time.Time     // may be years off until the clock is set
	mono   func() time.Duration // time since the kernel started; never steps
	synced func() bool          // whether the wall clock is synchronised
	kernel string               // identifies the run of the kernel to which mono belongs
}

// started is when this program started.
var started = time.Now()

// plausible is the earliest time of a clock that is set. This program did not exist
// before.
var plausible = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// timekeeper converts monotonic time to wall time, once the clock is set. A clock that
// was set once counts as set until the kernel stops: without a time server a Pi's clock
// is off by seconds after a day, not by years. Only the goroutine of delivery uses it,
// except for isSet and now.
type timekeeper struct {
	clock       clock
	alwaysTrust bool // CLOCK_TRUST: the clock need not be synchronised
	path        string
	log         *slog.Logger
	monitor     *monitor

	wasSynced   bool
	syncedShown atomic.Bool // wasSynced at the last poll, for other goroutines
	// offset is wall minus mono at the moment when the first held reading got its time.
	// It is kept on disk, so that a held reading gets the same time again after a
	// restart and is not stored twice.
	offset      time.Duration
	offsetFixed bool

	hold   time.Duration // CLOCK_HOLD: how long readings wait for the clock
	waited time.Duration // how long they have waited while the broker was connected
	gaveUp bool          // waited reached hold
}

func newTimekeeper(clock clock, trust bool, hold time.Duration, path string, log *slog.Logger, m *monitor) *timekeeper {
	k := &timekeeper{clock: clock, alwaysTrust: trust, hold: hold, path: path, log: log, monitor: m}
	k.syncedShown.Store(k.synced())
	return k
}

// fixedOffset is the content of the file clock.json.
type fixedOffset struct {
	Kernel string        `json:"kernel"`
	Offset time.Duration `json:"offset"`
}

// synced reports whether the clock is set, or was set once since the kernel started.
func (k *timekeeper) synced() bool {
	if !k.wasSynced {
		trusted := k.alwaysTrust || k.clock.synced()
		k.wasSynced = trusted && k.clock.wall().After(plausible)
	}
	return k.wasSynced
}

// isSet returns the result of synced at the last poll. It is safe for concurrent use.
func (k *timekeeper) isSet() bool { return k.syncedShown.Load() }

// poll checks whether the clock was set since the last poll, and logs that.
func (k *timekeeper) poll() {
	if ok := k.synced(); k.syncedShown.Swap(ok) != ok {
		k.log.Info("the clock is set", "time", k.now().UTC())
	}
}

// countWait adds passed to the time that the broker was connected while the clock was
// not set. After hold it gives up waiting for the clock.
func (k *timekeeper) countWait(passed time.Duration) {
	if k.synced() {
		return
	}
	if k.waited += passed; k.waited >= k.hold && !k.gaveUp {
		k.gaveUp = true
		k.log.Warn("the clock is still not set; readings are published without a time", "after", k.hold)
	}
}

// resolveTime gives a held reading its time, or marks it as unsynced if the time will
// never be known. It returns false if the time may still become known.
func (k *timekeeper) resolveTime(r *record) bool {
	switch {
	case r.Held == nil:
	case r.Held.Kernel != k.clock.kernel:
		r.markUnsynced() // the machine restarted before its clock was set
	case k.synced():
		r.Time = k.timeOf(r.Held.Mono).Format(wire.TimeLayout)
		r.Held = nil
	case k.gaveUp:
		r.markUnsynced()
	default:
		return false
	}
	return true
}

// now returns the wall time. It is safe for concurrent use.
func (k *timekeeper) now() time.Time { return k.clock.wall() }

// timeOf returns the wall time of a monotonic time of this kernel, in UTC to the
// millisecond. The first call fixes the offset until the kernel stops.
func (k *timekeeper) timeOf(mono time.Duration) time.Time {
	if !k.offsetFixed {
		k.fixOffset()
	}
	return time.Unix(0, int64(k.offset+mono)).UTC().Truncate(time.Millisecond)
}

// fixOffset reads the offset from disk, or computes it and writes it there.
func (k *timekeeper) fixOffset() {
	k.offsetFixed = true
	var f fixedOffset
	text, err := os.ReadFile(k.path)
	if err == nil && json.Unmarshal(text, &f) == nil && f.Kernel == k.clock.kernel {
		k.offset = f.Offset
		return
	}
	k.offset = time.Duration(k.clock.wall().UnixNano()) - k.clock.mono()
	if text, err = json.Marshal(fixedOffset{k.clock.kernel, k.offset}); err == nil {
		err = driver.WriteFile(k.path, text)
	}
	if err != nil {
		k.log.Error("keep the offset of the clock on disk", "err", err)
		return
	}
	k.monitor.countWritten(len(text))
}
