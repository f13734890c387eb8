package quality

import (
	"fmt"
	"math"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

const (
	confirm   = 3         // values on the same side make a step believed
	stepsHold = time.Hour // after a gap any value is plausible
)

// History is what the next value of a metric is held against. The zero History
// takes any value.
type History struct {
	Good     float64   // the last value of quality ok
	GoodTime time.Time // zero: there is none

	outliers []*Flagged // readings beyond a step, until it is confirmed or over
	upward   bool       // the side that they are on
}

// Flagged is a stored reading with the fields of it that are marked as suspect.
type Flagged struct {
	Name   string
	Tags   map[string]string
	Time   time.Time
	Fields []string
}

// Verdict is what judging one value gives.
type Verdict struct {
	Quality   Quality
	Reason    string     // why it is suspect
	Outlier   bool       // suspect for its step alone: it may be confirmed
	Confirmed []*Flagged // the outliers before it, which are good now
	Rise      float64    // of a counter
	Counted   bool       // Rise is one
}

// Judge says how far the value v of time t can be trusted, and remembers it if it
// can. f is its declaration; nil: any value within catalogue.Limits is good. Only
// the newest value is held against those before: what comes late says nothing of
// steps.
func (h *History) Judge(f *catalogue.Field, v float64, t time.Time, newest bool) Verdict {
	switch {
	case f != nil && (v < f.Min || v > f.Max):
		return Verdict{Quality: Suspect, Reason: fmt.Sprintf("%s is %g, outside of %g to %g", f.Key, v, f.Min, f.Max)}
	case f == nil && math.Abs(v) > catalogue.Limits:
		return Verdict{Quality: Suspect, Reason: fmt.Sprintf("%g is more than anything measures", v)}
	case f == nil || !newest || t.IsZero():
		return Verdict{Quality: OK}
	case f.Counter:
		return h.count(v, t)
	}
	since := t.Sub(h.GoodTime)
	if f.Step <= 0 || h.GoodTime.IsZero() || since > stepsHold || math.Abs(v-h.Good) <= f.Step*max(1, since.Minutes()) {
		h.believe(v, t)
		return Verdict{Quality: OK}
	}
	if !h.confirmed(v > h.Good) {
		return Verdict{Quality: Suspect, Outlier: true, Reason: fmt.Sprintf("%s went from %g to %g in %s", f.Key, h.Good, v, since.Round(time.Second))}
	}
	before := h.outliers
	h.believe(v, t)
	return Verdict{Quality: OK, Confirmed: before}
}

// count judges the value of a counter and says by how much it rose. A small step
// back is noise; a large one or an impossible rise is believed once confirmed.
func (h *History) count(v float64, t time.Time) Verdict {
	if h.GoodTime.IsZero() {
		h.believe(v, t)
		return Verdict{Quality: OK}
	}
	since := t.Sub(h.GoodTime)
	if since <= 0 {
		return Verdict{Quality: OK}
	}
	switch judgeRise(h.Good, v, since) {
	case grew:
		rise := v - h.Good
		h.believe(v, t)
		return Verdict{Quality: OK, Rise: rise, Counted: true}
	case noise:
		return Verdict{Quality: OK, Counted: true} // the next rise is measured from the peak
	}
	if !h.confirmed(v > h.Good) {
		return Verdict{Quality: Suspect, Outlier: true, Reason: fmt.Sprintf("the counter went from %g to %g", h.Good, v)}
	}
	rise, before := confirmedRise(h.Good, v), h.outliers
	h.believe(v, t)
	return Verdict{Quality: OK, Rise: rise, Counted: true, Confirmed: before}
}

// Pend remembers the reading of an outlier until it is confirmed or over.
func (h *History) Pend(r *Flagged) { h.outliers = append(h.outliers, r) }

// KeepOutliers takes over the pending outliers of what was remembered before a
// reload, if both go by the same good value.
func (h *History) KeepOutliers(old *History) {
	if old.GoodTime.UnixMicro() == h.GoodTime.UnixMicro() { // as the store keeps it
		h.outliers, h.upward = old.outliers, old.upward
	}
}

// confirmed reports that with a value on this side there are enough outliers to
// believe it. Those of the other side are over.
func (h *History) confirmed(upward bool) bool {
	if h.upward != upward {
		h.outliers = nil
	}
	h.upward = upward
	return len(h.outliers)+1 >= confirm
}

func (h *History) believe(v float64, t time.Time) {
	h.Good, h.GoodTime, h.outliers = v, t, nil
}
