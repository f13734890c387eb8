package device

import (
	"time"

	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

// Metric is one number or text of a device. It belongs to its register: use it only
// between Register.Update and Update.Done.
type Metric struct {
	State           store.DeviceState // its latest state; Good and GoodTime are in History
	quality.History                   // its last good value and the pending outliers
	Measurement     string            // the measurement of the last report of this metric, which declares it; "": not looked up yet
	Judges          []rules.Judge     // the rules that judge it
	JudgedBy        *rules.Set        // of which Judges are, for JudgedAs; nil: not looked up yet
	JudgedAs        string            // a measurement

	changed *outcome // the outcome of the last update that changed it
}

// fromRow is the metric of a stored state.
func fromRow(s store.DeviceState) *Metric {
	m := newMetric(s)
	if s.Good != nil {
		m.Good, m.GoodTime, m.Since = *s.Good, s.GoodTime, s.GoodTime
		if s.Value == m.Good && s.Text == "" {
			m.Since = s.Changed
		}
		m.Recall(s.Counter)
	}
	return m
}

// newMetric is a metric without a good value.
func newMetric(s store.DeviceState) *Metric {
	return &Metric{State: s, History: quality.History{Daily: quality.IsDaily(s.Metric)}}
}

// Stored returns the state as the store keeps it, with the last good value.
func (m *Metric) Stored() store.DeviceState {
	s := m.State
	s.Good, s.GoodTime, s.Counter = nil, m.GoodTime, m.Memo()
	if !m.GoodTime.IsZero() {
		good := m.Good
		s.Good = &good
	}
	return s
}

// Newer reports whether a value of time t that arrived at arrived is newer than the
// state. The source's time decides; the arrival does where the times are equal. A
// metric without a state takes any value.
func (m *Metric) Newer(t, arrived time.Time) bool {
	if m.State.Arrived.IsZero() {
		return true
	}
	if c := micros(t) - micros(m.State.Time); c != 0 {
		return c > 0
	}
	return micros(arrived) > micros(m.State.Arrived)
}

// Repeats reports whether the value v of time t is already the state. Then it is a
// duplicate: an edge sent it again, or Zigbee2MQTT published it from its cache.
func (m *Metric) Repeats(v float64, t time.Time) bool {
	return m.State.Value == v && m.State.Text == "" && !t.IsZero() && m.State.Time.Equal(t)
}

// micros returns a time in microseconds, the resolution of the store. Comparing
// finer would give another result after a restart. 0 is an unknown time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
