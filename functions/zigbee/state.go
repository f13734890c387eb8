package function

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/scan"
)

const (
	maxNesting = 4
	maxNote    = 200 // bytes of a text
	maxValues  = 300 // of one message
)

// state takes in what a device published.
func (w *work) state(m *mqttbatch.Message, d *named) error {
	if d.about.Group {
		return nil // its members say it themselves
	}
	p := payload{device: d, values: w.values[:0], notes: w.notes[:0]}
	err := p.decode(m.Payload)
	w.values, w.notes = p.values, p.notes // for the next
	if err != nil {
		return err
	}
	s := device.Sample{Measurement: "zigbee", Thing: d.Thing, Values: p.values, Notes: p.notes, Arrived: m.Time, Retained: m.Retained}
	switch {
	case !p.seen.IsZero() && device.CheckTime(p.seen, m.Time) == nil:
		s.Time = p.seen
	case !m.Retained:
		s.Time = m.Time
	}
	if p.action != "" && !s.Time.IsZero() {
		w.b.Readings = append(w.b.Readings, reading.Reading{Name: "zigbee_action", Tags: map[string]string{"device": d.Thing.ID},
			Fields: map[string]float64{"presses": 1}, Text: map[string]string{"action": p.action}, Time: s.Time.UTC()})
		s.Notes = append(s.Notes, device.Note{Key: "action", Text: p.action})
	}
	if len(s.Values)+len(s.Notes) == 0 {
		return nil // "{}", or all of it null
	}
	return w.b.Add(s)
}

// payload is what one message of a device holds.
type payload struct {
	device *named
	values []device.Value
	notes  []device.Note
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
		p.notes = append(p.notes, device.Note{Key: known.note, Text: cut(text)})
	}
}

func (p *payload) pressed(s *scan.Scanner) error {
	if s.Kind() != scan.String {
		return s.Skip()
	}
	text, err := s.Text()
	p.action = cut(text)
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
func (w *work) availability(m *mqttbatch.Message, d *named) error {
	online, err := available(m.Payload)
	if err != nil || d.about.Group {
		return err
	}
	return w.available(m, d.Thing, online)
}

func (w *work) available(m *mqttbatch.Message, t *device.Thing, online float64) error {
	if m.Retained {
		w.b.SetState(t, "available", "", online, m.Time, true)
		return nil
	}
	f, _ := measurement.Field("available")
	return w.b.Add(device.Sample{Measurement: "zigbee", Thing: t, Values: []device.Value{{Key: "available", V: online, Field: &f}}, Time: m.Time, Arrived: m.Time})
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
