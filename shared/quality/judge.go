package quality

import (
	"fmt"
	"math"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

const (
	confirmations = 3         // values in a row on the same side confirm a step
	stepsApply    = time.Hour // a longer gap permits any rate of change
)

// History is what a metric's next value is compared with: the last good value and the
// pending outliers. The zero History takes any value. It is not safe for concurrent
// use.
type History struct {
	Good     float64   // the last value of quality ok
	GoodTime time.Time // zero: there is none
	Since    time.Time // of a counter: since when it is Good
	Daily    bool      // a counter that starts anew each day

	outliers []*Flagged // the pending outliers, all on one side of Good
	upward   bool       // that side: they are above Good
	pending  pending    // of a counter
	counter  counter
}

// Flagged is a stored reading and its fields that are marked as suspect.
type Flagged struct {
	Name   string
	Tags   map[string]string
	Time   time.Time
	Fields []string
}

// Verdict is the result of judging one value.
type Verdict struct {
	Quality   Quality
	Reason    string     // why the value is suspect, for people
	Outlier   bool       // suspect only for its rate of change: later values may confirm it
	Confirmed []*Flagged // the pending outliers that this value confirms: their field is good
	Rise      float64    // of a counter since its last good value, in its unit
	Counted   bool       // Rise is valid
}

// Judge returns how far the value v of time t can be trusted, and makes it the last
// good value if it is. f is its declaration; nil: any value within catalogue.Limits is
// good. The range is checked always, the rate of change only of the newest value with
// a known time. A step is confirmed when three values in a row lie on the same side of
// the last good value. The caller must store an outlier as suspect and pass it to
// AddOutlier.
func (h *History) Judge(f *catalogue.Field, v float64, t time.Time, newest bool) Verdict {
	switch {
	case math.IsNaN(v):
		return Verdict{Quality: Suspect, Reason: "it is not a number"}
	case f != nil && f.Counter && v < 0 && f.Min <= -catalogue.Limits:
		return Verdict{Quality: Suspect, Reason: fmt.Sprintf("%s is %g, and a counter is not negative", f.Key, v)}
	case f != nil && (v < f.Min || v > f.Max):
		return Verdict{Quality: Suspect, Reason: fmt.Sprintf("%s is %g, outside of %g to %g", f.Key, v, f.Min, f.Max)}
	case f == nil && math.Abs(v) > catalogue.Limits:
		return Verdict{Quality: Suspect, Reason: fmt.Sprintf("%g is outside of %g to %g", v, -catalogue.Limits, catalogue.Limits)}
	case !newest || t.IsZero():
		return Verdict{Quality: OK}
	case f == nil:
		h.accept(v, t)
		return Verdict{Quality: OK}
	case f.Counter:
		return h.count(f, v, t)
	}
	since := t.Sub(h.GoodTime)
	if f.Step <= 0 || h.GoodTime.IsZero() || since > stepsApply || math.Abs(v-h.Good) <= f.Step*max(1, since.Minutes()) {
		h.accept(v, t)
		return Verdict{Quality: OK}
	}
	if !h.confirmed(v > h.Good) {
		return Verdict{Quality: Suspect, Outlier: true, Reason: fmt.Sprintf("%s went from %g to %g in %s", f.Key, h.Good, v, since.Round(time.Second))}
	}
	before := h.outliers
	h.accept(v, t)
	return Verdict{Quality: OK, Confirmed: before}
}

// AddOutlier remembers the reading of an outlier until the step is confirmed or a good
// value follows.
func (h *History) AddOutlier(r *Flagged) { h.outliers = append(h.outliers, r) }

// KeepOutliers copies the pending outliers of the History before a reload, if both
// have the same last good value.
func (h *History) KeepOutliers(old *History) {
	if old.GoodTime.UnixMicro() == h.GoodTime.UnixMicro() { // the store keeps microseconds
		h.outliers, h.upward, h.pending, h.Since = old.outliers, old.upward, old.pending, old.Since
	}
}

// confirmed reports whether one more value on this side confirms the step. It drops
// the pending outliers of the other side.
func (h *History) confirmed(upward bool) bool {
	if h.upward != upward {
		h.outliers = nil
	}
	h.upward = upward
	return len(h.outliers)+1 >= confirmations
}

// accept makes v the last good value. The outliers before it are no longer pending.
func (h *History) accept(v float64, t time.Time) {
	if v != h.Good || h.Since.IsZero() {
		h.Since = t
	}
	h.Good, h.GoodTime, h.outliers = v, t, nil
}
