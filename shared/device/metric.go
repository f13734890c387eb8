package device

import (
	"time"

	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

// Metric is one number, or text, of a device.
type Metric struct {
	State           store.DeviceState // its last word, but for Good and GoodTime
	quality.History                   // its last good value
	Listed          string            // the measurement that declares it and that it was last said in; "": not looked up yet

	changed *outcome // of the last update that changed it
}

func stored(s store.DeviceState) *Metric {
	m := &Metric{State: s}
	if s.Good != nil {
		m.Good, m.GoodTime = *s.Good, s.GoodTime
	}
	return m
}

// row is what the store keeps of m.
func (m *Metric) row() store.DeviceState {
	s := m.State
	s.Good, s.GoodTime = nil, m.GoodTime
	if !m.GoodTime.IsZero() {
		good := m.Good
		s.Good = &good
	}
	return s
}

// Newer reports that what was said at t and arrived then is newer than the state.
func (m *Metric) Newer(t, arrived time.Time) bool {
	if m.State.Arrived.IsZero() {
		return true
	}
	if c := micros(t) - micros(m.State.Time); c != 0 {
		return c > 0
	}
	return micros(arrived) > micros(m.State.Arrived)
}

// Says reports that the state is this number of this time already: it came again,
// from an edge that sent it twice or a bridge's cache.
func (m *Metric) Says(v float64, t time.Time) bool {
	return m.State.Value == v && m.State.Text == "" && !t.IsZero() && m.State.Time.Equal(t)
}

// micros is what the store keeps of a time: finer differences would be gone
// after a restart. 0 is an unknown time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
