package quality

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// counter is what a History of a counter remembers beside its last good value. A counter
// that leaves what it showed, down or up by more than it can have counted, is on another
// level. Then the value that it left is its peak, and the rises since then are added up:
// when a value continues the peak, the other level was a glitch, and only what the peak
// rose by is counted. When the other level rises, it was a reset.
type counter struct {
	Peak     float64   `json:"peak"`
	PeakTime time.Time `json:"peak_time,omitzero"` // zero: there is no peak
	Counted  float64   `json:"counted,omitempty"`  // the sum of the rises since PeakTime, and what was owed then
	Came     time.Time `json:"came,omitzero"`      // when it came to the present level
	Owed     float64   `json:"owed,omitempty"`     // above 0: counted too much before; below 0: from 0 to the first value after a drop, counted with the first rise
	Risen    float64   `json:"risen,omitempty"`    // the sum of the rises of the present level
	Resets   bool      `json:"resets,omitempty"`   // it has been reset before, as a counter of a day is
	Usual    float64   `json:"usual,omitempty"`    // its largest rise from one value to the next
	Of       time.Time `json:"of"`                 // the GoodTime that this belongs to
}

const (
	forgetPeak = 24 * time.Hour // after it, a level that has risen is the counter's for good
	settled    = time.Hour      // a level that the counter leaves sooner was a glitch
	freshStart = time.Hour      // what a counter may have counted from 0 before its first value after a reset
	unusual    = 3              // times the largest rise: the jump back to a peak is larger
	afterReset = time.Hour      // a counter that starts anew each day does not rise above its peak so soon
	rounding   = 1e-9           // of a number: its last digits
)

// Memo returns what must be kept of a counter beside Good and GoodTime, "" if nothing.
func (h *History) Memo() string {
	c := h.counter
	if c.PeakTime.IsZero() && c.Owed == 0 && !c.Resets {
		return ""
	}
	c.Of = h.GoodTime.UTC().Truncate(time.Microsecond) // the store keeps microseconds
	b, err := json.Marshal(c)
	if err != nil {
		return "" // a number that JSON cannot hold: then a reset is no glitch
	}
	return string(b)
}

// Recall is the inverse of Memo. It ignores the memo of another GoodTime: a process that
// does not know memos has stored since.
func (h *History) Recall(memo string) {
	var c counter
	if memo != "" && json.Unmarshal([]byte(memo), &c) == nil && c.Of.UnixMicro() == h.GoodTime.UnixMicro() {
		h.counter = c
	}
}

// count judges the value of a counter and computes its rise. See counter.
func (h *History) count(f *catalogue.Field, v float64, t time.Time) Verdict {
	since, pace := t.Sub(h.GoodTime), f.Pace()
	switch {
	case h.GoodTime.IsZero() && !isSentinel(v):
		h.accept(v, t)
		return Verdict{Quality: OK}
	case h.GoodTime.IsZero():
		return Verdict{Quality: Suspect, Reason: fmt.Sprintf("%s is %g, which counters without a value show", f.Key, v)}
	case since <= 0:
		return Verdict{Quality: OK}
	case h.isBack(pace, v, t):
		return h.goBack(v, t)
	case v >= h.Good && v-h.Good <= h.allowed(pace, h.Good, since):
		return h.goOn(pace, v, t)
	case v < h.Good && h.Good-v <= pace.Noise(h.Good):
		h.outliers = nil
		return Verdict{Quality: OK, Counted: true} // the next rise is measured from the peak
	case v > h.Good && isSentinel(v):
		return Verdict{Quality: Suspect, Reason: fmt.Sprintf("%s is %g, which counters without a value show", f.Key, v)}
	}
	if !h.confirmedCounter(pace, v, t) {
		return Verdict{Quality: Suspect, Outlier: true, Reason: fmt.Sprintf("the counter went from %g to %g", h.Good, v)}
	}
	return h.leave(pace, v, t)
}

// allowed is by how much a counter that stood at from may rise in a time without being
// confirmed. Of a unit of which nothing is known, its own rises bound it too.
func (h *History) allowed(p catalogue.Pace, from float64, since time.Duration) float64 {
	if p.Step > 0 {
		return p.Step*max(1, since.Minutes()) + rounding*from
	}
	limit := possible(p, from, since)
	if u := h.counter.Usual; u > 0 && !p.Known {
		limit = min(limit, max(1000*u*(1+since.Minutes()), from))
	}
	return limit
}

// possible is by how much a counter that stood at from can rise in a time. Of a unit of
// which nothing is known, the counter's own size tells.
func possible(p catalogue.Pace, from float64, since time.Duration) float64 {
	limit := max(p.Burst+p.Rate*max(0, since-time.Minute).Hours(), p.Step*max(1, since.Minutes()))
	if !p.Known {
		limit = max(limit, 10*from)
	}
	return limit + rounding*from
}

// isBack reports whether v continues the peak. If v can be a rise of the present level
// too, it continues the peak only if the level has never risen, and if the jump is no
// usual one. A counter that starts anew each day may have counted more than the day before.
func (h *History) isBack(p catalogue.Pace, v float64, t time.Time) bool {
	c := &h.counter
	noise := p.Noise(c.Peak)
	if c.PeakTime.IsZero() || v < c.Peak-noise || v-c.Peak > h.allowed(p, c.Peak, t.Sub(c.PeakTime)) {
		return false
	}
	if c.Peak <= h.Good {
		return v < h.Good-p.Noise(h.Good)
	}
	jump := v - h.Good
	switch {
	case jump <= 0:
		return false
	case jump > h.allowed(p, h.Good, t.Sub(h.GoodTime)):
		return true
	case c.Risen > noise:
		return false
	}
	daily := (c.Resets || h.Daily) && t.Sub(c.PeakTime) > afterReset
	return h.Good >= c.Peak/2 || !daily && jump > unusual*c.Usual
}

// goBack makes v the last good value, on the level of the peak. What was counted since
// then is not counted again.
func (h *History) goBack(v float64, t time.Time) Verdict {
	c := &h.counter
	v = max(v, c.Peak)
	rise := v - c.Peak - c.Counted
	*c = counter{Owed: max(0, -rise), Usual: c.Usual}
	h.accept(v, t)
	return Verdict{Quality: OK, Rise: max(0, rise), Counted: true}
}

// goOn makes v the last good value. It is a rise of the present level.
func (h *History) goOn(p catalogue.Pace, v float64, t time.Time) Verdict {
	c, up := &h.counter, v-h.Good
	rise := up
	if up > 0 {
		rise = max(0, up-c.Owed)
		c.Owed = max(0, c.Owed-up)
		if t.Sub(h.GoodTime) <= stepsApply {
			c.Usual = max(c.Usual, up)
		}
	}
	if !c.PeakTime.IsZero() {
		c.Counted += rise
		c.Risen += rise
		low := h.Good < c.Peak
		c.Resets = c.Resets || low && c.Risen > p.Noise(c.Peak)
		if c.Risen > 0 && (low && v >= c.Peak || t.Sub(c.PeakTime) > forgetPeak) {
			c.Peak, c.PeakTime, c.Counted, c.Risen = 0, time.Time{}, 0, 0
		}
	}
	h.accept(v, t)
	return Verdict{Quality: OK, Rise: rise, Counted: true}
}

// leave makes v the last good value, on another level, which outliers have confirmed.
// What they rose by is counted. After a drop to less than half, the counter began at 0,
// unless its first value is too high for that. A jump up is counted if the counter can
// have risen so much since its value last changed.
func (h *History) leave(p catalogue.Pace, v float64, t time.Time) Verdict {
	c, from, first := &h.counter, h.Good, h.pending.first
	known := c.PeakTime.IsZero() || c.Risen > 0 && h.GoodTime.Sub(c.Came) > settled // the present level is no glitch
	rise, owed := max(0, v-first), 0.0
	switch {
	case v < from && first < from/2 && first <= h.allowed(p, 0, min(h.pending.began.Sub(h.GoodTime), freshStart)):
		if rise > 0 {
			rise += first
		} else {
			owed = -first
		}
	case v > from && from > 0 && known && v-from <= possible(p, from, t.Sub(h.Since)):
		rise = v - from
	}
	if known && from > 0 {
		c.Peak, c.PeakTime, c.Counted = from, h.GoodTime, max(0, c.Owed)
	}
	c.Counted += rise
	c.Owed, c.Risen, c.Came = owed, rise, t
	before := h.outliers
	h.accept(v, t)
	return Verdict{Quality: OK, Rise: rise, Counted: true, Confirmed: before}
}

// confirmedCounter reports whether one more value confirms that the counter is on
// another level: the outliers and v are what a counter there shows. Otherwise it drops
// the outliers.
func (h *History) confirmedCounter(p catalogue.Pace, v float64, t time.Time) bool {
	n, up := &h.pending, v > h.Good
	if len(h.outliers) == 0 || h.upward != up || v < n.last-p.Noise(n.last) || v-n.last > possible(p, n.last, t.Sub(n.at)) {
		h.outliers = nil
		n.first, n.began, n.last = v, t, v
	}
	n.last, n.at, h.upward = max(n.last, v), t, up
	return len(h.outliers)+1 >= confirmations
}

// pending is what the pending outliers of a counter show.
type pending struct {
	first, last float64
	began, at   time.Time
}

// isSentinel reports whether v is what registers show that have no value: the largest
// number of 31, 32, 63 or 64 bits, or one more, in the payload's unit or a thousandth.
func isSentinel(v float64) bool {
	for _, scale := range [...]float64{1, 10, 100, 1000, 1e4, 1e6} {
		switch n := math.Round(v * scale); {
		case n < 1<<31-1:
		case math.Abs(n-v*scale) > 1e-3:
		case n == 1<<31-1, n == 1<<31, n == 1<<32-1, n == 1<<32, n >= 1<<63:
			return true
		}
	}
	return false
}

// IsDaily reports whether the key of a counter says that it starts anew each day, hour or
// event.
func IsDaily(key string) bool {
	for rest, found := key, true; found; {
		var word string
		if word, rest, found = strings.Cut(rest, "_"); slices.Contains(spans, word) {
			return true
		}
	}
	return false
}

var spans = []string{"today", "daily", "day", "hourly", "weekly", "monthly", "session", "event"}
