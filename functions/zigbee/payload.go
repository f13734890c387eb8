package function

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/scan"
)

// payload is one message of a device while it is decoded.
type payload struct {
	device *knownDevice
	values []device.Value
	texts  []device.TextState
	seen   time.Time
	action string
	bad    error  // of the first value that cannot be read; the others are valid
	path   []byte // of the attribute that is read now, joined by _
}

var errObject = errors.New("the payload is not a JSON object")

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
	if kind == scan.Object && depth < maxNesting && p.device.isComposite(p.path) {
		return p.readObject(s, depth+1)
	}
	if kind == scan.Null || kind == scan.Object || kind == scan.Array || kind == scan.Invalid {
		return s.Skip()
	}
	known := p.device.property(p.path)
	if known.kind == ignored || len(p.values)+len(p.texts) >= maxValues {
		return s.Skip()
	}
	if kind == scan.String {
		word, err := s.Text()
		p.addWord(known, word)
		return err
	}
	raw, err := s.Raw()
	switch {
	case err != nil:
		return err
	case kind == scan.Number:
		p.addNumber(known, raw)
	default:
		p.addBool(known, raw)
	}
	return nil
}

// addNumber adds a JSON number: as a text where the device declares one, as 1 or 0 of a
// switch.
func (p *payload) addNumber(known *property, raw []byte) {
	switch known.kind {
	case text:
		p.addText(known, raw)
	case binary:
		p.addSwitch(known, raw)
	default:
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil {
			p.bad = cmp.Or(p.bad, fmt.Errorf("%.100q: the number %.40s is too large", p.path, raw))
			return
		}
		p.addValue(known, v)
	}
}

// addBool adds true as 1 and false as 0, also where the device declares that false is
// on: the contact of a door is closed when true.
func (p *payload) addBool(known *property, raw []byte) {
	switch known.kind {
	case text:
		p.addText(known, raw)
	case binary, undeclared:
		p.addBinary(known, raw[0] == 't')
	}
}

// addWord adds a JSON string: the number in it where the device declares a number, the
// position of a switch, or a text. A word in place of a number, such as unknown or
// previous, is no value.
func (p *payload) addWord(known *property, word []byte) {
	switch known.kind {
	case numeric:
		if v, err := strconv.ParseFloat(string(bytes.TrimSpace(word)), 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
			p.addValue(known, v)
		}
	case binary:
		p.addSwitch(known, word)
	case undeclared:
		if on := string(word) == "ON"; on || string(word) == "OFF" {
			p.addBinary(known, on)
			return
		}
		p.addText(known, word)
	default:
		p.addText(known, word)
	}
}

func (p *payload) addValue(known *property, v float64) {
	if !slices.Contains(known.presets, v) {
		p.values = append(p.values, device.Value{Key: known.key, V: known.unit.Convert(v), Field: known.field})
	}
}

// addSwitch adds the position of a switch, by the words that the device declares, else
// by usual ones. Any other word is no position.
func (p *payload) addSwitch(known *property, word []byte) {
	switch {
	case known.on != "" && strings.EqualFold(string(word), known.on):
		p.addBinary(known, true)
		return
	case known.off != "" && strings.EqualFold(string(word), known.off):
		p.addBinary(known, false)
		return
	}
	switch strings.ToLower(string(word)) {
	case "on", "true", "1":
		p.addBinary(known, true)
	case "off", "false", "0":
		p.addBinary(known, false)
	}
}

func (p *payload) addBinary(known *property, on bool) {
	v := 0.0
	if on {
		v = 1
	}
	p.values = append(p.values, device.Value{Key: known.textKey, V: v})
}

func (p *payload) addText(known *property, word []byte) {
	if len(word) > 0 {
		p.texts = append(p.texts, device.TextState{Key: known.textKey, Text: truncate(word)})
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
