package function

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	maxNesting = 4
	maxText    = 200 // bytes of a text
	maxValues  = 300 // of one message
)

// readState adds the values of a device's message.
func (w *work) readState(i int, d *knownDevice) error {
	m := &w.ms[i]
	if d.about.Group {
		return nil // its members report for themselves
	}
	p := payload{device: d, values: w.values[len(w.values):], texts: w.texts[:0]}
	err := p.decode(m.Payload)
	w.texts = p.texts // the next message uses the buffer again
	if err != nil {
		return err
	}
	s := ingest.Report{Measurement: "zigbee", Device: d.Logical, Values: p.values, TextStates: p.texts, Arrived: m.Time, Retained: m.Retained}
	var atArrival []device.Value
	switch {
	case !p.seen.IsZero() && catalogue.CheckTime(p.seen, m.Time) == nil:
		s.Time = p.seen
		s.Values, atArrival = w.splitByTime(m, d, &p)
	case !m.Retained:
		s.Time = m.Time
	}
	if p.action != "" && !s.Time.IsZero() {
		w.addAction(i, d, p.action, s.Time)
	}
	if len(atArrival) > 0 {
		w.b.Add(i, ingest.Report{Measurement: "zigbee", Device: d.Logical, Values: atArrival, Time: m.Time, Arrived: m.Time})
	}
	if len(s.Values)+len(s.TextStates) > 0 { // empty for {}, or if all values are null or duplicates
		w.b.Add(i, s)
	}
	return nil
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

// payload is one message of a device while it is decoded.
type payload struct {
	device *knownDevice
	values []device.Value
	texts  []device.TextState
	seen   time.Time
	action string
	path   []byte // of the attribute that is read now, joined by _
}

var errObject = errors.New("the payload is not a JSON object: set `output: json` in Zigbee2MQTT")

func (p *payload) decode(b []byte) error {
	s := scan.New(b)
	if s.Kind() != scan.Object {
		return errObject
	}
	if err := p.readObject(s, 0); err != nil {
		return err
	}
	return s.End()
}

// readObject reads the attributes of an object. Attribute x of the object color is
// color_x.
func (p *payload) readObject(s *scan.Scanner, depth int) error {
	return s.Object(func(key []byte) error {
		outer := len(p.path)
		if outer > 0 {
			p.path = append(p.path, '_')
		}
		p.path = append(p.path, key...)
		err := p.readAttribute(s, depth)
		p.path = p.path[:outer]
		return err
	})
}

func (p *payload) readAttribute(s *scan.Scanner, depth int) error {
	if depth == 0 {
		switch string(p.path) {
		case "last_seen":
			return p.readLastSeen(s)
		case "action":
			return p.readAction(s)
		case "click": // before Zigbee2MQTT 1.17, and beside action where legacy payloads are on
			if p.action != "" {
				return s.Skip()
			}
			return p.readAction(s)
		case "device", "definition": // the device's description, in every message if the user sets include_device_information
			return s.Skip()
		}
	}
	kind := s.Kind()
	if kind == scan.Object && depth < maxNesting {
		return p.readObject(s, depth+1)
	}
	if kind == scan.Null || kind == scan.Object || kind == scan.Array || kind == scan.Invalid {
		return s.Skip()
	}
	known := p.device.property(p.path)
	if known.key == "" || len(p.values)+len(p.texts) >= maxValues {
		return s.Skip()
	}
	switch kind {
	case scan.Number:
		v, err := s.Float()
		p.values = append(p.values, device.Value{Key: known.key, V: known.unit.Convert(v), Field: known.field})
		return err
	case scan.Bool:
		v, err := s.Bool()
		p.addBinary(known, v)
		return err
	default:
		text, err := s.Text()
		p.addText(known, text)
		return err
	}
}

func (p *payload) addBinary(known *property, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	p.values = append(p.values, device.Value{Key: known.textKey, V: v})
}

// addText adds a switch as 1 or 0, by the texts that the device declares, else by ON
// and OFF. It adds any other text as a text state.
func (p *payload) addText(known *property, text []byte) {
	switch {
	case known.on != "" && string(text) == known.on, known.on == "" && bytes.EqualFold(text, []byte("on")):
		p.addBinary(known, true)
	case known.off != "" && string(text) == known.off, known.off == "" && bytes.EqualFold(text, []byte("off")):
		p.addBinary(known, false)
	case len(text) > 0:
		p.texts = append(p.texts, device.TextState{Key: known.textKey, Text: truncate(text)})
	}
}

func (p *payload) readAction(s *scan.Scanner) error {
	if s.Kind() != scan.String {
		return s.Skip()
	}
	text, err := s.Text()
	if len(text) > 0 { // "" means that the button was released
		p.action = truncate(text)
	}
	return err
}

func truncate(text []byte) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.ToValidUTF8(string(text), "")
}

// readLastSeen reads the formats ISO_8601, ISO_8601_local, and epoch in milliseconds.
// It ignores any other value: the message then has no time of its own.
func (p *payload) readLastSeen(s *scan.Scanner) error {
	switch s.Kind() {
	case scan.Number:
		ms, err := s.Float()
		if ms > 0 && ms < 1e14 {
			p.seen = time.UnixMilli(int64(ms)).UTC()
		}
		return err
	case scan.String:
		text, err := s.Text()
		if t, bad := time.Parse(time.RFC3339Nano, string(text)); bad == nil {
			p.seen = t.UTC()
		}
		return err
	}
	return s.Skip()
}
