package function

import (
	"bytes"
	"errors"
	"fmt"
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
	maxNote    = 200 // bytes of a text
	maxValues  = 300 // of one message
)

// state takes in what a device published.
func (w *work) state(i int, d *named) error {
	m := &w.ms[i]
	if d.about.Group {
		return nil // its members say it themselves
	}
	p := payload{device: d, values: w.values[len(w.values):], notes: w.notes[:0]}
	err := p.decode(m.Payload)
	w.notes = p.notes // for the next
	if err != nil {
		return err
	}
	s := ingest.Report{Measurement: "zigbee", Device: d.Logical, Values: p.values, TextStates: p.notes, Arrived: m.Time, Retained: m.Retained}
	var later []device.Value
	switch {
	case !p.seen.IsZero() && catalogue.CheckTime(p.seen, m.Time) == nil:
		s.Time = p.seen
		s.Values, later = w.since(m, d, &p)
	case !m.Retained:
		s.Time = m.Time
	}
	if p.action != "" && !s.Time.IsZero() {
		w.pressed(i, d, p.action, s.Time)
	}
	if len(later) > 0 {
		w.b.Add(i, ingest.Report{Measurement: "zigbee", Device: d.Logical, Values: later, Time: m.Time, Arrived: m.Time})
	}
	if len(s.Values)+len(s.TextStates) > 0 { // not "{}", nor all of it null or known
		w.b.Add(i, s)
	}
	return nil
}

// since divides the values of a message into those of last_seen and those that
// Zigbee2MQTT has changed itself later, as when no motion has come for a while:
// they carry the time of the last motion. What is known already is left out.
func (w *work) since(m *wire.Message, d *named, p *payload) (then, later []device.Value) {
	before := d.said
	if before.work != w || !before.seen.Equal(p.seen) {
		before = said{work: w, seen: p.seen}
	}
	then = p.values[:0]
	for _, v := range p.values {
		st, known := w.b.State(d.Logical, v.Key)
		old, seen := st.Value, known && st.Text == "" && st.Time.Equal(p.seen) && st.Arrived.Before(m.Time)
		if i := slices.IndexFunc(before.values, func(b device.Value) bool { return b.Key == v.Key }); i >= 0 {
			old, seen = before.values[i].V, true
		}
		switch {
		case known && st.Value == v.V && sameMoment(st.Arrived, m.Time) && !st.Time.Equal(p.seen): // the message came before
		case m.Retained && known && st.Time.After(p.seen): // or one after it
		case !seen || old == v.V:
			then = append(then, v)
		case m.Retained: // when it changed, nobody knows
			w.b.SetState(d.Logical, v.Key, "", v.V, m.Time, true)
		default:
			later = append(later, v)
		}
	}
	if before.values == nil {
		before.values = then
	}
	d.said = before
	w.values = append(w.values, then...) // where before remembers them
	return then, later
}

// sameMoment compares with a time that may come from the store, which keeps
// microseconds.
func sameMoment(stored, t time.Time) bool {
	return stored.Equal(t) || stored.Nanosecond()%1000 == 0 && stored.Equal(t.Truncate(time.Microsecond))
}

// pressed keeps what a button did. Where Zigbee2MQTT tells of two things at one
// last_seen, the second is of its arrival.
func (w *work) pressed(i int, d *named, action string, t time.Time) {
	m := &w.ms[i]
	st, known := w.b.State(d.Logical, "action")
	switch {
	case known && st.Text == action && sameMoment(st.Arrived, m.Time):
		t = st.Time
	case known && st.Text != action && st.Time.Equal(t) && st.Arrived.Before(m.Time):
		t = m.Time
	}
	w.b.AddReading(i, reading.Reading{Name: "zigbee_action", Tags: map[string]string{"device": d.Logical.ID},
		Fields: map[string]float64{"presses": 1}, Text: map[string]string{"action": action}, Time: t.UTC()})
	w.b.SetTextState(d.Logical, "action", action, t, m.Time, m.Retained)
}

// payload is what one message of a device holds.
type payload struct {
	device *named
	values []device.Value
	notes  []device.TextState
	seen   time.Time
	action string
	path   []byte
}

var errObject = errors.New("it is no JSON object: set `output: json` in Zigbee2MQTT")

func (p *payload) decode(b []byte) error {
	s := scan.New(b)
	if s.Kind() != scan.Object {
		return errObject
	}
	if err := p.object(s, 0); err != nil {
		return err
	}
	return s.End()
}

// object reads attributes; color.x becomes color_x.
func (p *payload) object(s *scan.Scanner, depth int) error {
	return s.Object(func(key []byte) error {
		outer := len(p.path)
		if outer > 0 {
			p.path = append(p.path, '_')
		}
		p.path = append(p.path, key...)
		err := p.attribute(s, depth)
		p.path = p.path[:outer]
		return err
	})
}

func (p *payload) attribute(s *scan.Scanner, depth int) error {
	if depth == 0 {
		switch string(p.path) {
		case "last_seen":
			return p.lastSeen(s)
		case "action":
			return p.pressed(s)
		case "click": // before Zigbee2MQTT 1.17, and beside action where legacy payloads are on
			if p.action != "" {
				return s.Skip()
			}
			return p.pressed(s)
		case "device", "definition": // who it is, where the user wants that in every message
			return s.Skip()
		}
	}
	kind := s.Kind()
	if kind == scan.Object && depth < maxNesting {
		return p.object(s, depth+1)
	}
	if kind == scan.Null || kind == scan.Object || kind == scan.Array || kind == scan.Invalid {
		return s.Skip()
	}
	known := p.device.property(p.path)
	if known.key == "" || len(p.values)+len(p.notes) >= maxValues {
		return s.Skip()
	}
	switch kind {
	case scan.Number:
		v, err := s.Float()
		p.values = append(p.values, device.Value{Key: known.key, V: known.unit.Convert(v), Field: known.field})
		return err
	case scan.Bool:
		v, err := s.Bool()
		p.binary(known, v)
		return err
	default:
		text, err := s.Text()
		p.text(known, text)
		return err
	}
}

func (p *payload) binary(known *property, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	p.values = append(p.values, device.Value{Key: known.note, V: v})
}

// text reads a switch as 1 or 0, as the device declares or as ON and OFF, and
// keeps any other text as a state.
func (p *payload) text(known *property, text []byte) {
	switch {
	case known.on != "" && string(text) == known.on, known.on == "" && bytes.EqualFold(text, []byte("on")):
		p.binary(known, true)
	case known.off != "" && string(text) == known.off, known.off == "" && bytes.EqualFold(text, []byte("off")):
		p.binary(known, false)
	case len(text) > 0:
		p.notes = append(p.notes, device.TextState{Key: known.note, Text: cut(text)})
	}
}

func (p *payload) pressed(s *scan.Scanner) error {
	if s.Kind() != scan.String {
		return s.Skip()
	}
	text, err := s.Text()
	if len(text) > 0 { // "" is that it was let go
		p.action = cut(text)
	}
	return err
}

func cut(text []byte) string {
	if len(text) > maxNote {
		text = text[:maxNote]
	}
	return strings.ToValidUTF8(string(text), "")
}

// lastSeen reads ISO_8601, ISO_8601_local, or epoch in milliseconds. What is
// none of them is no time.
func (p *payload) lastSeen(s *scan.Scanner) error {
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

// availability takes in {"state":"online"} or, as before Zigbee2MQTT 2.0, online.
// It is retained by design and true when it comes, so it is a state at arrival;
// what is live is a reading too.
func (w *work) availability(i int, d *named) error {
	online, err := available(w.ms[i].Payload)
	if err != nil || d.about.Group {
		return err
	}
	w.available(i, d.Logical, online)
	return nil
}

func (w *work) available(i int, t *device.Device, online float64) {
	m := &w.ms[i]
	if m.Retained {
		w.b.SetState(t, "available", "", online, m.Time, true)
		return
	}
	f, _ := measurement.Field("available")
	w.b.Add(i, ingest.Report{Measurement: "zigbee", Device: t, Values: []device.Value{{Key: "available", V: online, Field: &f}}, Time: m.Time, Arrived: m.Time})
}

func available(b []byte) (float64, error) {
	state := b
	if s := scan.New(b); s.Kind() == scan.Object {
		state = nil
		if err := s.Object(func(key []byte) (err error) {
			if string(key) == "state" {
				state, err = s.Text()
				return err
			}
			return s.Skip()
		}); err != nil {
			return 0, err
		}
	}
	switch string(bytes.ToLower(bytes.TrimSpace(state))) {
	case "online":
		return 1, nil
	case "offline":
		return 0, nil
	}
	return 0, fmt.Errorf("the availability is neither online nor offline but %.40q", b)
}
