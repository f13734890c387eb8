package function

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/topic"
	"github.com/hearth-home/hearth/shared/wire"
)

// readOther takes in what no edge agent sent: by hearth.yml, by Telegraf's
// formats, by the keys that are known, in this order.
func (w *work) readOther(i int) error {
	m := &w.ms[i]
	if len(m.Payload) == 0 {
		return nil // a retained message was removed
	}
	payload := scan.Finite(m.Payload)
	found, ok, err := w.set.Find(m.Topic, payload)
	if ok {
		return errors.Join(w.take(i, found), err)
	}
	if found, ok, err := w.s.allow.telegraf(m.Topic, payload); ok {
		return errors.Join(w.take(i, found), err)
	}
	found, err = known(m.Topic, payload, w.set.Zone())
	return errors.Join(w.take(i, found), err)
}

// take adds what was found of devices.
func (w *work) take(i int, found []mapping.Found) error {
	m := &w.ms[i]
	var errs []error
	for _, f := range found {
		if len(f.Name) > maxName || len(f.Physical) > 4*maxName {
			errs = append(errs, fmt.Errorf("the device's name is longer than %d bytes", maxName))
			continue
		}
		d := said{msg: i, physical: w.physical("", []byte(f.Physical)), kind: "mapped", name: f.Name, measurement: f.Measurement, text: f.Text,
			time: f.Time, quality: f.Quality, reason: f.Reason, from: len(w.values)}
		switch {
		case !f.Time.IsZero():
			if err := catalogue.CheckTime(f.Time, m.Time); err != nil {
				errs = append(errs, err)
				continue
			}
		case !m.Retained:
			d.time = m.Time
		}
		w.values = append(w.values, f.Values...)
		d.to = len(w.values)
		w.said = append(w.said, d)
	}
	return errors.Join(errs...)
}

// known maps the payloads of the platform before hearth: a flat object, named by
// its topic, often without a time.
func known(on string, payload []byte, zone *time.Location) ([]mapping.Found, error) {
	p := plain{topic: on, zone: zone}
	s := scan.New(payload)
	if s.Kind() != scan.Object {
		return nil, noMapping(on)
	}
	if err := errors.Join(p.object(s), s.End()); err != nil {
		return nil, fmt.Errorf("broken JSON on topic %s", general(on)) // where it breaks is another place each time
	}
	if len(p.found) == 0 && p.bad == nil {
		return nil, noMapping(on)
	}
	name, physical := topic.Name(on), "topic/"+on
	if p.name != "" {
		name, physical = p.name, physical+"/"+p.name
	}
	for i := range p.found {
		f := &p.found[i]
		f.Name, f.Physical, f.Time = name, physical, p.time
		d := said{quality: quality.OK}
		for _, kind := range p.kinds {
			sentinels(kind, f.Values, &d)
		}
		f.Quality, f.Reason = d.quality, d.reason
	}
	if len(p.unknown) > 0 {
		slices.Sort(p.unknown)
		return p.found, errors.Join(p.bad, fmt.Errorf(wire.Unmapped+"%s of topic %s", strings.Join(p.unknown, ", "), general(on)))
	}
	return p.found, p.bad
}

// plain gathers what a flat object holds.
type plain struct {
	topic   string
	zone    *time.Location  // of a time that names none
	found   []mapping.Found // one a measurement
	name    string
	time    time.Time
	kinds   []string // of sensors, by their keys
	unknown []string
	bad     error // of the first value that is none
}

// kindOf tells a sensor by a key that only it has.
var kindOf = map[string]string{"co2_Levels": "sgp30", "total_volatile_compounds": "sgp30", "pm2": "sds011", "barometric_pressure": "bme280"}

func (p *plain) object(s *scan.Scanner) error {
	return s.Object(func(key []byte) error {
		k := string(key)
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		switch k {
		case "device_id", "deviceId", "sensor_id":
			p.name = mapping.Text(raw)
			return nil
		case "time", "timestamp", "ts":
			p.time, _ = mapping.ParseTime(mapping.Text(raw), p.zone) // else arrival
			return nil
		case "ups_status":
			p.upsStatus(mapping.Text(raw))
			return nil
		case "device_model":
			p.text("ups", "model", mapping.Text(raw))
			return nil
		}
		if a, ok := mapping.Known(k); ok {
			v, ok, err := mapping.Number(raw)
			if err != nil && raw[0] != '{' && raw[0] != '[' {
				p.bad = cmp.Or(p.bad, fmt.Errorf("%s: %w", k, err)) // the others are good
				return nil
			}
			if err != nil {
				p.miss(k)
			}
			if ok {
				f := p.of(a.Measurement)
				f.Values = append(f.Values, device.Value{Key: a.Key, V: v * a.Factor, Field: a.Field})
				if kind := kindOf[k]; kind != "" && !slices.Contains(p.kinds, kind) {
					p.kinds = append(p.kinds, kind)
				}
			}
		} else if string(raw) != "null" {
			p.miss(k)
		}
		return nil
	})
}

func (p *plain) miss(key string) {
	if len(p.unknown) < 10 {
		p.unknown = append(p.unknown, strings.ToValidUTF8(key[:min(len(key), 60)], ""))
	}
}

func (p *plain) of(measurement string) *mapping.Found {
	for i := range p.found {
		if p.found[i].Measurement == measurement {
			return &p.found[i]
		}
	}
	p.found = append(p.found, mapping.Found{Measurement: measurement})
	return &p.found[len(p.found)-1]
}

func (p *plain) text(measurement, key, text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	f := p.of(measurement)
	if f.Text == nil {
		f.Text = map[string]string{}
	}
	f.Text[key] = text
}

// upsFlags are the words of ups.status in NUT; others may come and are ignored.
// https://networkupstools.org/docs/developer-guide.chunked/new-drivers.html
var upsFlags = []struct{ word, key string }{
	{"OL", "on_mains"}, {"OB", "on_battery"}, {"LB", "low_battery"}, {"RB", "replace_battery"}, {"CHRG", "charging"}, {"DISCHRG", "discharging"},
	{"BYPASS", "bypass"}, {"CAL", "calibrating"}, {"OFF", "output_off"}, {"OVER", "overload"}, {"TRIM", "trimming"}, {"BOOST", "boosting"},
	{"FSD", "shutdown"}, {"ALARM", "alarm"},
}

// upsStatus reads a status as a set of flags: " OB DISCHRG LB" is on battery
// whatever else it is.
func (p *plain) upsStatus(status string) {
	words := strings.Fields(strings.ToUpper(status))
	if len(words) == 0 {
		return
	}
	p.text("ups", "status", status)
	for _, flag := range upsFlags {
		v := 0.0
		if slices.Contains(words, flag.word) {
			v = 1
		}
		a, _ := mapping.Known(flag.key)
		f := p.of("ups")
		f.Values = append(f.Values, device.Value{Key: flag.key, V: v, Field: a.Field})
	}
}

// noMapping is the one cause under which messages of a kind become dead letters.
func noMapping(topic string) error {
	return fmt.Errorf(wire.Unmapped+"topic %s", general(topic))
}

// general replaces the levels of a topic that name one of many by +.
func general(topic string) string {
	levels := strings.Split(topic, "/")
	for i, l := range levels {
		if strings.ContainsAny(l, "0123456789") {
			levels[i] = "+"
		}
	}
	s := strings.Join(levels, "/")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
