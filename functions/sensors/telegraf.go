package function

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/wire"
)

// allow are patterns for measurement.field: Telegraf's fields that are stored besides
// those of the measurement host.
type allow []string

func parseAllow(patterns []string) (a allow, err error) {
	for _, p := range patterns {
		if _, bad := path.Match(p, "x"); bad != nil {
			err = errors.Join(err, fmt.Errorf("TELEGRAF_ALLOW: %q is not a pattern, as in snmp.*", p))
		}
		a = append(a, p)
	}
	return a, err
}

func (a allow) allows(name string) bool {
	return slices.ContainsFunc(a, func(p string) bool {
		ok, _ := path.Match(slashless.Replace(p), slashless.Replace(name)) // * does not match a slash
		return ok
	})
}

var slashless = strings.NewReplacer("/", "\x00")

// telegrafMetric is one metric of Telegraf: a name, tags and fields at one time.
type telegrafMetric struct {
	name   string
	tags   map[string]string
	fields map[string]float64
	time   time.Time

	device, physical string // the name and the physical id of what it describes
}

const maxMetrics = 5000 // of one message

// telegraf maps a payload of Telegraf, JSON or line protocol. ok is false if it is
// neither. An error names what is refused; what is found is valid.
func (a allow) telegraf(c *chips, topicName string, payload []byte) (found []mapping.Found, ok bool, err error) {
	var ts []telegrafMetric
	var bad error
	switch scan.New(payload).Kind() {
	case scan.Object:
		ts, ok, bad = telegrafJSON(payload)
	case scan.Array, scan.String:
	default:
		ts, ok, bad = lines(string(payload))
	}
	if !ok {
		return nil, false, nil
	}
	for i := range ts {
		ts[i].setDevice(topicName)
		for tag, v := range ts[i].tags {
			ts[i].tags[tag] = latin(v)
		}
	}
	c.add(ts)
	var refused []string
	for _, t := range ts {
		fs := a.mapMetric(c, &t)
		found = append(found, fs...)
		if len(fs) == 0 && len(t.fields) > 0 && !ofHosts[t.name] && !slices.Contains(refused, t.name) && len(refused) < 10 {
			refused = append(refused, t.name)
		}
	}
	if len(found) == 0 && len(refused) > 0 {
		err = fmt.Errorf(wire.Unmapped+"Telegraf's %.200s: TELEGRAF_ALLOW may let it in", strings.Join(refused, ", "))
	}
	return found, true, errors.Join(err, bad)
}

// mapMetric maps a metric: fields that all computers have to the measurement host,
// other allowed fields to the measurement telegraf under their own name.
func (a allow) mapMetric(c *chips, t *telegrafMetric) []mapping.Found {
	host := mapping.Found{Measurement: "host", Moment: mapping.Moment{Time: t.time}}
	other := mapping.Found{Measurement: "telegraf", Moment: mapping.Moment{Time: t.time}}
	t.derive()
	for _, name := range slices.Sorted(maps.Keys(t.fields)) {
		v := t.fields[name]
		full := t.name + "." + name
		if h, ok := hostFields[full]; ok {
			if key, declared := h.key(c, t); declared != nil {
				host.Values = append(host.Values, device.Value{Key: key, V: v*h.factor + h.offset, Field: declared})
				continue
			}
		}
		if key := t.key(name); a.allows(full) && key != "" {
			other.Values = append(other.Values, device.Value{Key: key, V: v})
		}
	}
	var found []mapping.Found
	for _, f := range []mapping.Found{host, other} {
		if len(f.Values) > 0 {
			f.Name, f.Physical = t.device, t.physical
			found = append(found, f)
		}
	}
	return found
}

// hostTags are the tags that name a metric's host, the most exact first.
var hostTags = []string{"source", "agent_host", "host"}

// setDevice sets the device that a metric describes: its host; without one (omit_hostname)
// the whole topic, but for the metric's name at its end, and the tags that tell neither
// which part of a computer it is of nor stand in the keys.
func (t *telegrafMetric) setDevice(topicName string) {
	for _, tag := range hostTags {
		if v := t.tags[tag]; v != "" {
			t.device, t.physical = v, "telegraf/"+v
			return
		}
	}
	var s sender
	for tag, v := range t.tags {
		if ofHosts[t.name] && !slices.Contains(hostParts[t.name], tag) {
			s.parts = append(s.parts, senderPart{tag, v})
		}
	}
	t.device, t.physical = s.device(strings.TrimSuffix(topicName, "/"+t.name))
}

// hostParts are the tags of metrics in hostFields that tell parts of one computer apart,
// or describe them.
// https://github.com/influxdata/telegraf/tree/master/plugins/inputs
var hostParts = map[string][]string{
	"cpu": {"cpu", "core_id", "physical_id"}, "disk": {"device", "fstype", "label", "mode", "path"}, "diskio": {"name", "serial", "wwid"},
	"net": {"interface"}, "temp": {"sensor", "device"}, "sensors": {"chip", "feature"},
	"nvidia_smi":   {"arch", "compute_mode", "index", "name", "pci_bus_id", "pstate", "uuid"},
	"smart_device": {"capacity", "device", "device_type", "enabled", "health_ok", "model", "power", "serial_no", "wwn"},
	"win_cpu":      {"instance", "objectname"}, "win_mem": {"instance", "objectname"}, "win_system": {"instance", "objectname"}, "win_disk": {"instance", "objectname"},
	"win_diskio": {"instance", "objectname"}, "win_net": {"instance", "objectname"},
}

// key joins the metric's name, the values of its other tags and the field's name. It
// is "" if that is reserved.
func (t *telegrafMetric) key(field string) string {
	parts := []string{t.name}
	for _, tag := range slices.Sorted(maps.Keys(t.tags)) {
		if !slices.Contains(hostTags, tag) {
			parts = append(parts, t.tags[tag])
		}
	}
	whole := strings.Join(append(parts, latin(field)), "_")
	key := catalogue.Key(whole)
	const most = 60
	if len(whole) > most { // a hash keeps two long names apart
		h := fnv.New32a()
		h.Write([]byte(whole))
		key = catalogue.Key(whole[:most-10]) + "_" + strconv.FormatUint(uint64(h.Sum32()), 16)
	}
	if key == catalogue.Quality || key == catalogue.Suspect || key == "time" || key == "device" {
		return ""
	}
	return key
}

// latin writes what a key cannot have in letters of a key: a disk at /данные is no disk
// at /.
func latin(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return device.ID(text)
	}
	return text
}

// telegrafJSON decodes {"name","tags","fields","timestamp"}, or an array of such
// objects in "metrics". bad is the error of one of several; the others are valid.
func telegrafJSON(payload []byte) (ts []telegrafMetric, ok bool, bad error) {
	s := scan.New(payload)
	var t telegrafMetric
	err := s.Object(func(key []byte) error {
		if string(key) == "metrics" && s.Kind() == scan.Array {
			return s.Array(func(n int) error {
				raw, err := s.Raw()
				if err != nil {
					return err
				}
				one, isOne := parseMetric(raw)
				switch {
				case isOne && len(ts) < maxMetrics:
					ts = append(ts, one)
				case isOne:
					bad = fmt.Errorf("there are more than %d metrics", maxMetrics)
				case bad == nil:
					bad = fmt.Errorf("metric %d has no name, fields and timestamp as Telegraf writes them", n)
				}
				return nil
			})
		}
		return t.readAttribute(s, string(key))
	})
	if err != nil || s.End() != nil {
		return nil, false, nil
	}
	if t.complete() {
		ts = append(ts, t)
	}
	return ts, len(ts) > 0, bad
}

func parseMetric(payload []byte) (t telegrafMetric, ok bool) {
	s := scan.New(payload)
	err := s.Object(func(key []byte) error { return t.readAttribute(s, string(key)) })
	return t, err == nil && t.complete()
}

func (t *telegrafMetric) complete() bool { return t.name != "" && t.fields != nil && !t.time.IsZero() }

func (t *telegrafMetric) readAttribute(s *scan.Scanner, key string) error {
	switch kind := s.Kind(); {
	case key == "name" && kind == scan.String:
		b, err := s.Text()
		t.name = string(b)
		return err
	case key == "tags" && kind == scan.Object:
		t.tags = map[string]string{}
		return s.Object(func(key []byte) error {
			tag := string(key)
			raw, err := s.Raw()
			t.tags[tag] = mapping.Text(raw)
			return err
		})
	case key == "fields" && kind == scan.Object:
		t.fields = map[string]float64{}
		return s.Object(func(key []byte) error {
			field := string(key)
			if kind := s.Kind(); kind != scan.Number && kind != scan.Bool {
				return s.Skip() // texts are not stored
			}
			v, _, err := readNumber(s)
			t.fields[field] = v
			return err
		})
	case key == "timestamp" && (kind == scan.Number || kind == scan.String):
		raw, err := s.Raw()
		t.time, _ = mapping.ParseTime(mapping.Text(raw), time.UTC)
		return err
	}
	return s.Skip()
}
