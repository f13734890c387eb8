package device

import (
	"fmt"
	"math"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	confirm     = 3         // readings on the same side make a step believed
	forgetSteps = time.Hour // after a gap any value is plausible
	dip         = 0.1       // kWh: a counter that steps back less is noise
	maxRate     = 50.0      // kW: a counter that rises faster is suspect
)

// metric is one number, or text, of a device.
type metric struct {
	state    store.DeviceState // but for Good and GoodTime
	good     float64           // the last value of quality ok
	goodTime time.Time         // zero: there is none
	pending  []*mark           // readings beyond a step, until it is believed or over
	upward   bool              // their side
	batch    *Batch            // it is written by
	flight   *flight           // of the last batch that changed it
}

// mark is a reading with suspect fields.
type mark struct {
	name   string
	tags   map[string]string
	time   time.Time
	fields []string
}

func remembered(s store.DeviceState) *metric {
	m := &metric{state: s}
	if s.Good != nil {
		m.good, m.goodTime = *s.Good, s.GoodTime
	}
	return m
}

// doubts takes over the readings beyond a step, if what they are measured from is
// still the same.
func (m *metric) doubts(old *metric) {
	if old != nil && micros(old.goodTime) == micros(m.goodTime) {
		m.pending, m.upward = old.pending, old.upward
	}
}

// row is what the store keeps of m.
func (m *metric) row() store.DeviceState {
	s := m.state
	s.Good, s.GoodTime = nil, m.goodTime
	if !m.goodTime.IsZero() {
		good := m.good
		s.Good = &good
	}
	return s
}

// verdict is what judging one value gives.
type verdict struct {
	quality  Quality
	reason   string
	step     bool    // suspect for its step alone: it may be released
	released []*mark // a step that is believed now
	delta    float64 // of a counter
	counted  bool
}

// judge says how far a value can be trusted. Only the newest one is held against
// those before: what comes late says nothing of steps.
func (m *metric) judge(f *catalogue.Field, v float64, t time.Time, newest bool) verdict {
	if f != nil && (v < f.Min || v > f.Max) {
		return verdict{quality: Suspect, reason: fmt.Sprintf("%s is %g, outside of %g to %g", f.Key, v, f.Min, f.Max)}
	}
	if f == nil || !newest || t.IsZero() {
		return verdict{quality: OK}
	}
	if f.Counter {
		return m.count(v, t)
	}
	since := t.Sub(m.goodTime)
	if f.Step <= 0 || m.goodTime.IsZero() || since > forgetSteps || math.Abs(v-m.good) <= f.Step*max(1, since.Minutes()) {
		m.believe(v, t)
		return verdict{quality: OK}
	}
	if m.doubt(v > m.good) {
		released := m.pending
		m.believe(v, t)
		return verdict{quality: OK, released: released}
	}
	return verdict{quality: Suspect, step: true, reason: fmt.Sprintf("%s went from %g to %g in %s", f.Key, m.good, v, since.Round(time.Second))}
}

// doubt counts a value on one side and reports that there are enough.
func (m *metric) doubt(upward bool) bool {
	if len(m.pending) > 0 && m.upward != upward {
		m.pending = nil
	}
	m.upward = upward
	return len(m.pending)+1 >= confirm
}

func (m *metric) believe(v float64, t time.Time) {
	m.good, m.goodTime, m.pending = v, t, nil
}

// count follows a counter: what it rose by since the last good value. A small
// step back is noise; a large one or an impossible rise is believed when it
// stays. After a reset the counter began at 0.
func (m *metric) count(v float64, t time.Time) verdict {
	if m.goodTime.IsZero() {
		m.believe(v, t)
		return verdict{quality: OK}
	}
	since := t.Sub(m.goodTime)
	if since <= 0 {
		return verdict{quality: OK}
	}
	rise := v - m.good
	switch {
	case rise >= 0 && rise <= maxRate*since.Hours()+1:
		m.believe(v, t)
		return verdict{quality: OK, delta: rise, counted: true}
	case rise < 0 && rise >= -dip:
		return verdict{quality: OK, delta: 0, counted: true} // the next rise is measured from the peak
	}
	if !m.doubt(rise > 0) {
		return verdict{quality: Suspect, step: true, reason: fmt.Sprintf("the counter went from %g to %g", m.good, v)}
	}
	switch {
	case rise > 0:
	case v < m.good/2:
		rise = v // a reset
	default:
		rise = 0 // a correction
	}
	released := m.pending
	m.believe(v, t)
	return verdict{quality: OK, delta: rise, counted: true, released: released}
}

// newer reports that what was said at t and arrived then is newer than the state.
func (m *metric) newer(t, arrived time.Time) bool {
	if m.state.Arrived.IsZero() {
		return true
	}
	if c := micros(t) - micros(m.state.Time); c != 0 {
		return c > 0
	}
	return micros(arrived) > micros(m.state.Arrived)
}

// micros is what the store keeps of a time: finer differences would be gone
// after a restart. 0 is an unknown time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
