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

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/topic"
	"github.com/hearth-home/hearth/shared/wire"
)

// allow is which other fields of Telegraf are kept: patterns for
// measurement.field.
type allow []string

func parseAllow(patterns []string) (a allow, err error) {
	for _, p := range patterns {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		if _, bad := path.Match(p, "x"); bad != nil {
			err = errors.Join(err, fmt.Errorf("TELEGRAF_ALLOW: %q is no pattern such as snmp.*", p))
		}
		a = append(a, p)
	}
	return a, err
}

func (a allow) takes(name string) bool {
	return slices.ContainsFunc(a, func(p string) bool {
		ok, _ := path.Match(slashless.Replace(p), slashless.Replace(name)) // to path a * ends at one
		return ok
	})
}

var slashless = strings.NewReplacer("/", "\x00")

// telegram is one metric of Telegraf.
type telegram struct {
	name   string
	tags   map[string]string
	fields map[string]float64
	time   time.Time
}

const maxTelegrams = 5000 // of one message

// telegraf maps Telegraf's JSON and line protocol. ok is false where it is
// neither.
func (a allow) telegraf(on string, payload []byte) (found []mapping.Found, ok bool, err error) {
	var ts []telegram
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
	var refused []string
	for _, t := range ts {
		fs := a.find(on, &t)
		found = append(found, fs...)
		if len(fs) == 0 && !slices.Contains(refused, t.name) && len(refused) < 10 {
			refused = append(refused, t.name)
		}
	}
	if len(found) == 0 {
		err = fmt.Errorf(wire.Unmapped+"Telegraf's %.200s: TELEGRAF_ALLOW may let it in", strings.Join(refused, ", "))
	}
	return found, true, errors.Join(err, bad)
}

// find maps a metric: what computers have in common to host, the rest that is
// allowed as it is called.
func (a allow) find(on string, t *telegram) []mapping.Found {
	host := mapping.Found{Measurement: "host", Time: t.time}
	other := mapping.Found{Measurement: "telegraf", Time: t.time}
	for _, name := range slices.Sorted(maps.Keys(t.fields)) {
		v := t.fields[name]
		full := t.name + "." + name
		if h, ok := hostFields[full]; ok {
			if key, declared := h.key(t); declared != nil {
				host.Values = append(host.Values, device.Value{Key: key, V: v*h.factor + h.offset, Field: declared})
				continue
			}
		}
		if key := t.key(name); a.takes(full) && key != "" {
			other.Values = append(other.Values, device.Value{Key: key, V: v})
		}
	}
	var found []mapping.Found
	for _, f := range []mapping.Found{host, other} {
		if len(f.Values) > 0 {
			f.Name = t.device(on)
			f.Physical = "telegraf/" + f.Name
			found = append(found, f)
		}
	}
	return found
}

// hosts are the tags that say what a metric is of, the most exact first.
var hosts = []string{"source", "agent_host", "host"}

func (t *telegram) device(on string) string {
	for _, tag := range hosts {
		if v := t.tags[tag]; v != "" {
			return v
		}
	}
	return topic.Name(on)
}

// key is the metric's name, its other tags' values and the field's name.
func (t *telegram) key(field string) string {
	parts := []string{t.name}
	for _, tag := range slices.Sorted(maps.Keys(t.tags)) {
		if !slices.Contains(hosts, tag) {
			parts = append(parts, t.tags[tag])
		}
	}
	whole := strings.Join(append(parts, field), "_")
	key := catalogue.Key(whole)
	const most = 60
	if len(whole) > most { // cut, two could be one
		h := fnv.New32a()
		h.Write([]byte(whole))
		key = catalogue.Key(whole[:most-10]) + "_" + strconv.FormatUint(uint64(h.Sum32()), 16)
	}
	if key == catalogue.Quality || key == catalogue.Suspect || key == "time" || key == "device" {
		return ""
	}
	return key
}

// hostField is what a field of Telegraf is for a computer, with the tag that
// names its part.
type hostField struct {
	tag, ending    string
	factor, offset float64
}

// https://github.com/influxdata/telegraf/tree/master/plugins/inputs
var hostFields = map[string]hostField{
	"cpu.usage_idle": {"cpu", "usage_percent", -1, 100},
	"mem.available":  {"", "memory_available_bytes", 1, 0}, "mem.total": {"", "memory_total_bytes", 1, 0}, "mem.used": {"", "memory_used_bytes", 1, 0},
	"system.load1": {"", "load_1m", 1, 0}, "system.load5": {"", "load_5m", 1, 0}, "system.load15": {"", "load_15m", 1, 0}, "system.uptime": {"", "uptime_seconds", 1, 0},
	"disk.free": {"path", "disk_free_bytes", 1, 0}, "disk.total": {"path", "disk_size_bytes", 1, 0},
	"diskio.read_bytes": {"name", "read_bytes", 1, 0}, "diskio.write_bytes": {"name", "written_bytes", 1, 0},
	"net.bytes_recv": {"interface", "received_bytes", 1, 0}, "net.bytes_sent": {"interface", "sent_bytes", 1, 0},
	"temp.temp": {"sensor", "temperature_celsius", 1, 0}, "sensors.temp_input": {"feature", "temperature_celsius", 1, 0},
	"nvidia_smi.temperature_gpu": {"index", "temperature_celsius", 1, 0}, "nvidia_smi.power_draw": {"index", "power_watts", 1, 0},
	"nvidia_smi.utilization_gpu": {"index", "usage_percent", 1, 0}, "nvidia_smi.memory_used": {"index", "memory_used_bytes", 1 << 20, 0},
	"nvidia_smi.clocks_current_graphics": {"index", "frequency_hertz", 1e6, 0},
}

func (h hostField) key(t *telegram) (string, *catalogue.Field) {
	part := ""
	if h.tag != "" {
		part = catalogue.Key(t.tags[h.tag])
	}
	switch {
	case h.tag == "cpu" && part == "cpu_total":
		part = "cpu"
	case h.tag == "path" && part == "":
		part = "root"
	case h.tag == "index" && (part == "" || part == "0"):
		part = "gpu"
	case h.tag == "index":
		part = "gpu_" + part
	}
	key := h.ending
	if part != "" {
		key = part + "_" + h.ending
	}
	m, _ := catalogue.Get("host")
	if f, ok := m.Field(key); ok && len(key) <= 100 {
		return key, &f
	}
	return key, nil
}

// telegrafJSON reads {"name","tags","fields","timestamp"}, or several of them in
// "metrics". bad says what is wrong with one of several; the others are good.
func telegrafJSON(payload []byte) (ts []telegram, ok bool, bad error) {
	s := scan.New(payload)
	var t telegram
	err := s.Object(func(key []byte) error {
		if string(key) == "metrics" && s.Kind() == scan.Array {
			return s.Array(func(n int) error {
				raw, err := s.Raw()
				if err != nil {
					return err
				}
				one, isOne := telegramOf(raw)
				switch {
				case isOne && len(ts) < maxTelegrams:
					ts = append(ts, one)
				case isOne:
					bad = fmt.Errorf("there are more than %d metrics", maxTelegrams)
				case bad == nil:
					bad = fmt.Errorf("metric %d has no name, fields and timestamp as Telegraf writes them", n)
				}
				return nil
			})
		}
		return t.attribute(s, string(key))
	})
	if err != nil || s.End() != nil {
		return nil, false, nil
	}
	if t.whole() {
		ts = append(ts, t)
	}
	return ts, len(ts) > 0, bad
}

func telegramOf(payload []byte) (t telegram, ok bool) {
	s := scan.New(payload)
	err := s.Object(func(key []byte) error { return t.attribute(s, string(key)) })
	return t, err == nil && t.whole()
}

func (t *telegram) whole() bool { return t.name != "" && t.fields != nil && !t.time.IsZero() }

func (t *telegram) attribute(s *scan.Scanner, key string) error {
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
				return s.Skip() // a text is no measurement
			}
			v, _, err := number(s)
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
