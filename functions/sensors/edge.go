package function

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	edgePrefix  = "edge/" // of physical ids
	nodePrefix  = "node/"
	topicPrefix = "topic/"
	nodeKind    = "node"

	simulatedKey = "simulated" // of a state, as in a node's status
	maxName      = 120         // bytes of the name of a device, node or boot
	maxPhysical  = 500         // bytes of the physical id of another device: a topic may be long
	maxText      = 200         // bytes of a text or a reason
	maxTexts     = 8           // of a reading
)

var errFields = errors.New(`an edge reading has its numbers in "fields"`)

// readEdge decodes an edge reading. Its number counts as received even if the reading
// is rejected: sent again, it would be rejected again.
func (w *work) readEdge(i int, node string) error {
	m := &w.ms[i]
	if len(m.Payload) == 0 {
		return nil // a retained message was removed
	}
	e, err := wire.DecodeReading(m.Payload)
	if err != nil {
		if e, err = wire.DecodeReading(scan.Finite(m.Payload)); err != nil { // without NaN and Infinity, which are not JSON
			return err
		}
	}
	boot := w.addNumber(node, m.Time, &e)
	if len(e.Device) == 0 {
		e.Device = []byte(m.Topic[strings.LastIndexByte(m.Topic, '/')+1:])
	}
	if len(e.Device) > maxName {
		return fmt.Errorf("the device's name is longer than %d bytes", maxName)
	}
	d := report{msg: i, physical: w.physical(edgePrefix, e.Device), kind: "edge", from: len(w.values), simulated: e.Sample}
	if err := w.edgeTime(&d, m, &e); err != nil {
		return err
	}
	if d.quality == quality.ClockUnsynced && boot != "" && !d.time.IsZero() {
		d.unsynced = &store.EdgeArrival{Node: node, Boot: boot, Seq: uint64(e.Seq), Time: d.time}
	}
	d.measurement, err = w.edgeFields(&e)
	d.to = len(w.values)
	if d.from == d.to {
		return errors.Join(err, errNoNumbers(err))
	}
	if len(e.Text) > 0 {
		if d.text, err = readTexts(e.Text, d.measurement, err); err != nil {
			w.reports = append(w.reports, d)
			return err
		}
	}
	if len(e.Measurement) == 0 {
		markSentinels(string(e.Sensor), w.values[d.from:d.to], &d)
	}
	w.reports = append(w.reports, d)
	return err
}

// addNumber counts an edge reading as received and returns its boot. The boot is "" if the
// reading has no valid number.
func (w *work) addNumber(node string, arrived time.Time, e *wire.RawReading) (boot string) {
	if len(e.Boot) == 0 || len(e.Boot) > maxName || bytes.IndexByte(e.Boot, 0) >= 0 || len(node) > maxName || e.Seq < 1 || e.Seq > maxSeq {
		return ""
	}
	boot = w.intern(e.Boot)
	w.numbers.add(node, boot, uint64(e.Seq), arrived)
	if e.Gone >= 1 && e.Gone < e.Seq {
		w.numbers.dropped(node, boot, uint64(e.Gone))
	}
	return boot
}

// errNoNumbers returns the error of a reading without numbers, nil if err explains
// that.
func errNoNumbers(err error) error {
	if err != nil {
		return nil
	}
	return errors.New("there is no number in the message")
}

// edgeTime sets the time and the quality of a reading.
func (w *work) edgeTime(d *report, m *wire.Message, e *wire.RawReading) error {
	d.quality, d.reason = quality.OK, truncate(e.Reason)
	if len(e.Quality) > 0 {
		if d.quality = quality.Quality(w.intern(e.Quality)); !d.quality.Known() {
			d.quality, d.reason = quality.Suspect, fmt.Sprintf("its quality is %.40q", e.Quality)
		}
	}
	if len(e.Time) > 0 && d.quality != quality.ClockUnsynced {
		t, err := time.Parse(time.RFC3339Nano, string(e.Time))
		if err != nil {
			return fmt.Errorf("the time %.40q is not RFC 3339", e.Time)
		}
		d.time = t
		return catalogue.CheckTime(t, m.Time)
	}
	if len(e.Boot) > 0 && d.quality == quality.OK {
		d.quality = quality.ClockUnsynced
	}
	if !m.Retained {
		d.time = m.Time
	}
	return nil
}

// edgeFields appends a reading's numbers to w.values and returns their measurement. An
// error names the fields that are refused; the others are appended.
func (w *work) edgeFields(e *wire.RawReading) (string, error) {
	if len(e.Fields) == 0 {
		return "", errFields
	}
	m, err := measurementOf(e.Sensor, e.Measurement)
	if err != nil {
		return "", err
	}
	if m == "" {
		m = guess(e.Fields)
	}
	known := w.s.fields.keysOf(m)
	var unknown []string
	var bad error // of the first value that is not a number; the others are valid
	s := scan.New(e.Fields)
	err = s.Object(func(key []byte) error {
		f := known.get(key)
		kind := s.Kind()
		if kind == scan.String || kind == scan.Object || kind == scan.Array {
			bad = cmp.Or(bad, fmt.Errorf("%.60q: %w", key, errNumber))
			return s.Skip()
		}
		v, ok, err := readNumber(s)
		switch {
		case err != nil:
			return fmt.Errorf("%.60q: %w", key, err)
		case !ok:
		case f == nil:
			unknown = append(unknown, fmt.Sprintf("%.60s", key))
		default:
			w.values = append(w.values, device.Value{Key: f.key, V: v, Field: f.field})
		}
		return nil
	})
	if err = cmp.Or(err, bad); err == nil && len(unknown) > 0 {
		err = fmt.Errorf(wire.Unmapped+"%s of the sensor kind %.40q", strings.Join(unknown, ", "), e.Sensor)
	}
	return m, err
}

var errNumber = errors.New("the value is not a number")

// readNumber reads a number, or a boolean as 1 or 0. ok is false for null.
func readNumber(s *scan.Scanner) (v float64, ok bool, err error) {
	switch s.Kind() {
	case scan.Number:
		v, err = s.Float()
		return v, true, err
	case scan.Bool:
		yes, err := s.Bool()
		if yes {
			v = 1
		}
		return v, true, err
	case scan.Null:
		return 0, false, s.Null()
	}
	return 0, false, errNumber
}

// readTexts reads an object of strings and returns those that the measurement
// declares. It joins its error to earlier.
func readTexts(raw []byte, measurement string, earlier error) (map[string]string, error) {
	m, _ := catalogue.Get(measurement)
	out := map[string]string{}
	s := scan.New(raw)
	err := s.Object(func(key []byte) error {
		text, err := s.Text()
		if err == nil && len(out) < maxTexts {
			for _, k := range m.Text {
				if k != catalogue.Suspect && k == string(key) {
					out[k] = truncate(text)
				}
			}
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(earlier, fmt.Errorf(`"text": %w`, err))
	}
	return out, earlier
}

func truncate(b []byte) string {
	if len(b) > maxText {
		return strings.ToValidUTF8(string(b[:maxText]), "")
	}
	return string(b)
}
