package function

import (
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	maxNesting = 4
	maxText    = 200 // bytes of a text
	maxValues  = 300 // of one message
)

// readState adds the values of a device's message.
func (w *work) readState(i int, d *knownDevice) error {
	if d.about.Group {
		return nil // its members report for themselves
	}
	p := payload{device: d, values: w.values[len(w.values):], texts: w.texts[:0]}
	err := p.decode(w.ms[i].Payload)
	w.texts = p.texts // the next message uses the buffer again
	if err != nil {
		return err
	}
	d.json = true
	w.addPayload(i, &p)
	return p.bad
}

// addPayload adds what was found in the message i.
func (w *work) addPayload(i int, p *payload) {
	m, d := &w.ms[i], p.device
	s := ingest.Report{Measurement: "zigbee", Device: d.Logical, Values: p.values, TextStates: p.texts, Arrived: m.Time, Retained: m.Retained, Replayed: m.Replay}
	var atArrival []device.Value
	switch {
	case !p.seen.IsZero() && catalogue.CheckTime(p.seen, m.Time) == nil:
		s.Time = p.seen
		s.Values, atArrival = w.splitByTime(m, d, p)
	case !m.Retained:
		s.Time = m.Time
	}
	if p.action != "" && !s.Time.IsZero() {
		w.addAction(i, d, p.action, s.Time)
	}
	if len(atArrival) > 0 {
		w.b.Add(i, ingest.Report{Measurement: "zigbee", Device: d.Logical, Values: atArrival, Time: m.Time, Arrived: m.Time, Replayed: m.Replay})
	}
	if len(s.Values)+len(s.TextStates) > 0 { // empty for {}, or if all values are null or duplicates
		w.b.Add(i, s)
	}
}

// splitByTime divides the values of a message into those of its last_seen and those of
// its arrival. Zigbee2MQTT changes some values itself, for example occupancy to false
// after a timeout; such a message carries the last_seen of the motion before. So a value
// is of its arrival if an earlier message with the same last_seen had another value.
// Values that are known already are left out.
func (w *work) splitByTime(m *wire.Message, d *knownDevice, p *payload) (atSeen, atArrival []device.Value) {
	earlier := d.earlier
	if earlier.work != w || !earlier.seen.Equal(p.seen) {
		earlier = seenValues{work: w, seen: p.seen}
	}
	atSeen = p.values[:0]
	for _, v := range p.values {
		state, known := w.b.State(d.Logical, v.Key)
		old, hasOld := state.Value, known && state.Text == "" && state.Time.Equal(p.seen) && state.Arrived.Before(m.Time)
		if i := slices.IndexFunc(earlier.values, func(e device.Value) bool { return e.Key == v.Key }); i >= 0 {
			old, hasOld = earlier.values[i].V, true
		}
		switch {
		case known && state.Value == v.V && sameMoment(state.Arrived, m.Time) && !state.Time.Equal(p.seen):
			// This message was delivered before and set the state at its arrival.
		case m.Retained && known && state.Time.After(p.seen):
			// A later message is known.
		case !hasOld || old == v.V:
			atSeen = append(atSeen, v)
		case m.Retained: // the value changed at an unknown time
			w.b.SetState(d.Logical, v.Key, "", v.V, m.Time, true)
		default:
			atArrival = append(atArrival, v)
		}
	}
	if earlier.values == nil {
		earlier.values = atSeen
	}
	d.earlier = earlier
	w.values = append(w.values, atSeen...) // so that later messages do not overwrite earlier.values
	return atSeen, atArrival
}

// sameMoment compares a stored time with another. The store keeps microseconds; a
// state that is not read again from it may be more exact.
func sameMoment(stored, t time.Time) bool {
	return stored.Equal(t) || stored.Nanosecond()%1000 == 0 && stored.Equal(t.Truncate(time.Microsecond))
}

// addAction stores a button press. Zigbee2MQTT may report two actions with one
// last_seen; then the second has the time of its arrival.
func (w *work) addAction(i int, d *knownDevice, action string, t time.Time) {
	m := &w.ms[i]
	st, known := w.b.State(d.Logical, "action")
	switch {
	case known && st.Text == action && sameMoment(st.Arrived, m.Time): // this message was delivered before
		t = st.Time
	case known && st.Text != action && st.Time.Equal(t) && st.Arrived.Before(m.Time):
		t = m.Time
	}
	w.b.AddReading(i, reading.Reading{Name: "zigbee_action", Tags: map[string]string{"device": d.Logical.ID},
		Fields: map[string]float64{"presses": 1}, Text: map[string]string{"action": action}, Time: t.UTC()})
	w.b.SetTextState(d.Logical, "action", action, t, m.Time, m.Retained)
}
