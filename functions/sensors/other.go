package function

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/wire"
)

// readOther decodes a message that no edge agent sent: by the mappings of hearth.yml,
// else as Telegraf's formats, else by well-known keys.
func (w *work) readOther(i int) error {
	m := &w.ms[i]
	if len(m.Payload) == 0 {
		return nil // a retained message was removed
	}
	payload := scan.Finite(m.Payload)
	found, ok, err := w.set.Find(m.Topic, payload)
	if ok {
		return errors.Join(w.addFound(i, found), err)
	}
	if found, ok, err := w.s.allow.telegraf(&w.s.chips, m.Topic, payload); ok {
		return errors.Join(w.addFound(i, found), err)
	}
	found, err = mapKnownKeys(m.Topic, payload, w.set.Zone())
	return errors.Join(w.addFound(i, found), err)
}

// addFound adds a report for each device that was found in a message.
func (w *work) addFound(i int, found []mapping.Found) error {
	m := &w.ms[i]
	var errs []error
	for _, f := range found {
		if len(f.Physical) > maxPhysical {
			errs = append(errs, fmt.Errorf("the device's name is longer than %d bytes", maxPhysical))
			continue
		}
		d := report{msg: i, physical: w.physical("", []byte(f.Physical)), kind: "mapped", name: f.Name, measurement: f.Measurement, text: f.Text,
			quality: f.Quality, reason: f.Reason, from: len(w.values)}
		d.setTime(f.Moment, m)
		w.values = append(w.values, f.Values...)
		d.to = len(w.values)
		w.reports = append(w.reports, d)
	}
	return errors.Join(errs...)
}

// mapKnownKeys maps the payloads of the platform before hearth: a flat object, often
// without a time, of a device that the topic names.
func mapKnownKeys(topicName string, payload []byte, zone *time.Location) ([]mapping.Found, error) {
	p := flatObject{topic: topicName, zone: zone}
	s := scan.New(payload)
	if s.Kind() != scan.Object {
		return nil, cmp.Or(zigbeeList(topicName, payload), noMapping(topicName))
	}
	if err := errors.Join(p.read(s), s.End()); err != nil {
		return nil, fmt.Errorf("broken JSON on topic %s", generalTopic(topicName)) // without the offset, so that all such dead letters have one cause
	}
	if base := zigbeeBase(topicName); p.zigbee && base != "" {
		return nil, otherBase(base)
	}
	if len(p.found) == 0 && p.bad == nil && !p.known {
		return nil, noMapping(topicName)
	}
	if err := p.sender.doubt(topicName); err != nil && len(p.found) > 0 {
		return nil, err
	}
	p.convert()
	p.upsPower()
	name, physical := p.sender.device(topicName)
	for i := range p.found {
		f := &p.found[i]
		f.Name, f.Physical, f.Moment = name, physical, p.time
		d := report{quality: quality.OK}
		for _, kind := range p.kinds {
			markSentinels(kind, f.Values, &d)
		}
		f.Quality, f.Reason = d.quality, d.reason
	}
	if len(p.unknown) > 0 {
		slices.Sort(p.unknown)
		return p.found, errors.Join(p.bad, fmt.Errorf(wire.Unmapped+"%s of topic %s", strings.Join(p.unknown, ", "), generalTopic(topicName)))
	}
	return p.found, p.bad
}

// flatObject gathers the contents of a flat JSON object.
type flatObject struct {
	topic   string
	zone    *time.Location  // of times without a zone
	found   []mapping.Found // one for each measurement
	sender  sender
	time    mapping.Moment
	units   []catalogue.Unit // that a key of their own names
	kinds   []string         // of sensors, by their keys
	known   bool             // a key is known, though it may have no value: a sensor that failed
	unknown []string
	bad     error // of the first value that is not a number
	zigbee  bool  // it is Zigbee2MQTT's: it holds linkquality, which no other program writes so
}

// kindByKey are the kinds of sensors, by a key that only they report.
var kindByKey = map[string]string{"co2_Levels": "sgp30", "total_volatile_compounds": "sgp30", "pm2": "sds011", "barometric_pressure": "bme280"}

func (p *flatObject) read(s *scan.Scanner) error {
	return s.Object(func(key []byte) error {
		k := string(key)
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		switch k {
		case "device_id", "deviceId", "sensor_id":
			p.sender.add(k, raw, mapping.Sender)
			return nil
		case "time", "timestamp", "ts":
			p.time, _ = mapping.ParseMoment(mapping.Text(raw), p.zone) // an invalid time counts as none: the arrival is used
			return nil
		case "ups_status":
			p.upsStatus(mapping.Text(raw))
			return nil
		case "device_model":
			p.addText("ups", "model", mapping.Text(raw))
			return nil
		case "linkquality":
			p.zigbee = raw[0] >= '0' && raw[0] <= '9' || string(raw) == "null"
		}
		p.addValue(k, raw)
		return nil
	})
}

// addValue adds a value by the meaning of its key.
func (p *flatObject) addValue(key string, raw []byte) {
	alias, ok := mapping.LookupAlias(key)
	if !ok {
		if u, _, is := mapping.NamedUnit(key, raw); is {
			p.units = append(p.units, u)
			return
		}
		if !p.sender.read(key, raw) && !mapping.IsEmpty(raw) {
			p.addUnknown(key)
		}
		return
	}
	v, ok, err := alias.Number(raw)
	switch {
	case err != nil && (raw[0] == '{' || raw[0] == '['): // only flat objects are known
		p.sender.read(key, raw)
		p.addUnknown(key)
	case err != nil:
		p.bad = cmp.Or(p.bad, fmt.Errorf("%s: %w", key, err)) // the other values are valid
	case !ok:
		p.known = true
		if v, is := mapping.Switch(raw); is && alias.Measurement == "power" && alias.Key == "power_watts" { // of a plug
			p.addSwitch(v)
		}
	default:
		f := p.foundOf(alias.Measurement)
		f.Values = append(f.Values, device.Value{Key: alias.Key, V: v, Field: alias.Field})
		if kind := kindByKey[key]; kind != "" && !slices.Contains(p.kinds, kind) {
			p.kinds = append(p.kinds, kind)
		}
	}
}

// addSwitch adds whether a plug is switched on: power is the switch in one payload and
// the watts in another.
func (p *flatObject) addSwitch(on float64) {
	alias, _ := mapping.LookupAlias("on")
	f := p.foundOf(alias.Measurement)
	f.Values = append(f.Values, device.Value{Key: alias.Key, V: on, Field: alias.Field})
}

func (p *flatObject) addUnknown(key string) {
	if len(p.unknown) < 10 {
		p.unknown = append(p.unknown, strings.ToValidUTF8(key[:min(len(key), 60)], ""))
	}
}

func (p *flatObject) foundOf(measurement string) *mapping.Found {
	for i := range p.found {
		if p.found[i].Measurement == measurement {
			return &p.found[i]
		}
	}
	p.found = append(p.found, mapping.Found{Measurement: measurement})
	return &p.found[len(p.found)-1]
}

func (p *flatObject) addText(measurement, key, text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	f := p.foundOf(measurement)
	if f.Text == nil {
		f.Text = map[string]string{}
	}
	f.Text[key] = text
}

// upsFlags are the words of ups.status in NUT. Others are ignored.
// https://networkupstools.org/docs/developer-guide.chunked/new-drivers.html
var upsFlags = []struct{ word, key string }{
	{"OL", "on_mains"}, {"OB", "on_battery"}, {"LB", "low_battery"}, {"RB", "replace_battery"}, {"CHRG", "charging"}, {"DISCHRG", "discharging"},
	{"BYPASS", "bypass"}, {"CAL", "calibrating"}, {"OFF", "output_off"}, {"OVER", "overload"}, {"TRIM", "trimming"}, {"BOOST", "boosting"},
	{"FSD", "shutdown"}, {"ALARM", "alarm"},
	{"COMMLOST", "link_lost"}, // of apcupsd: https://www.apcupsd.org/manual/manual.html
}

// upsStatus decodes a status as a set of flags: " OB DISCHRG LB" is on_battery,
// discharging and low_battery.
func (p *flatObject) upsStatus(status string) {
	words := strings.Fields(strings.ToUpper(status))
	if len(words) == 0 {
		return
	}
	p.addText("ups", "status", status)
	for _, flag := range upsFlags {
		v := 0.0
		if slices.Contains(words, flag.word) {
			v = 1
		}
		a, _ := mapping.LookupAlias(flag.key)
		f := p.foundOf("ups")
		f.Values = append(f.Values, device.Value{Key: flag.key, V: v, Field: a.Field})
	}
}

// upsPower adds the power of a UPS that sends its load and its greatest power, but not
// this one. The edge agent estimates it in the same way.
func (p *flatObject) upsPower() {
	i := slices.IndexFunc(p.found, func(f mapping.Found) bool { return f.Measurement == "ups" })
	if i < 0 {
		return
	}
	f := &p.found[i]
	load, nominal := findValue(f.Values, "load_percent"), findValue(f.Values, "nominal_power_watts")
	if load == nil || nominal == nil || findValue(f.Values, "power_watts") != nil || !inRange(load) || !inRange(nominal) {
		return
	}
	m, _ := catalogue.Get("ups")
	if power, ok := m.Field("power_watts"); ok {
		f.Values = append(f.Values, device.Value{Key: power.Key, V: math.Round(load.V*nominal.V/10) / 10, Field: &power})
	}
}

func inRange(v *device.Value) bool { return v.V >= v.Field.Min && v.V <= v.Field.Max }

// noMapping is the error for a topic without a mapping. It is the same for similar
// topics, so that their dead letters have one cause.
func noMapping(topic string) error {
	return fmt.Errorf(wire.Unmapped+"topic %s", generalTopic(topic))
}

// generalTopic replaces the levels of a topic that contain digits by +.
func generalTopic(topic string) string {
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
