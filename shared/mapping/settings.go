// Package mapping is the part "devices" of hearth.yml: what the things in the
// house are called, where they are, and how any JSON on any topic becomes
// readings. It also knows the payloads of the platform before hearth.
package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// entry is one element of the list "devices" of hearth.yml. With a topic it maps
// messages; without, it only says what the register should know.
type entry struct {
	Device      string           `yaml:"device"`      // id; of a mapping also $.path, or text with {2} for the topic's second level and {key}
	Name        string           `yaml:"name"`        // for people
	Room        string           `yaml:"room"`        //
	Physical    []string         `yaml:"physical"`    // what it is now: ieee addresses, edge/name, topic/name
	Maintenance time.Time        `yaml:"maintenance"` // until then nothing is told of it
	Topic       list             `yaml:"topic"`       // MQTT filters
	Each        string           `yaml:"each"`        // path of a list: its elements describe a device each, and paths begin there
	Measurement string           `yaml:"measurement"` // one of the catalogue's, or a new one
	Cadence     time.Duration    `yaml:"cadence"`     // of a new measurement
	Time        moment           `yaml:"time"`        // where the payload says when; absent: arrival
	Fields      map[string]field `yaml:"fields"`      // numbers, by key
	Text        map[string]string

	source string
}

// field says where a number is and what becomes of it: (value*factor + offset),
// brought from unit into the unit that is kept.
type field struct {
	Path    string             `yaml:"path"`
	Unit    string             `yaml:"unit"`
	Factor  *float64           `yaml:"factor"`
	Offset  float64            `yaml:"offset"`
	Words   map[string]float64 `yaml:"words"` // texts that stand for numbers: {on: 1, off: 0}
	Title   string             `yaml:"title"`
	Min     *float64           `yaml:"min"`
	Max     *float64           `yaml:"max"`
	Step    float64            `yaml:"step"`
	Counter bool               `yaml:"counter"`
	Above   *float64           `yaml:"above"` // a person wants to hear of more, or less
	Below   *float64           `yaml:"below"`
}

// moment is a path, or a path and the time zone where the payload has none.
type moment struct {
	Path string `yaml:"path"`
	Zone string `yaml:"zone"`
}

// list is one text, or several.
type list []string

func (l *list) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = list{n.Value}
		return nil
	}
	return n.Decode((*[]string)(l))
}

func (f *field) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		f.Path = n.Value
		return nil
	}
	type plain field
	return strict(n, (*plain)(f))
}

func (m *moment) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		m.Path = n.Value
		return nil
	}
	type plain moment
	return strict(n, (*plain)(m))
}

// strict decodes a node and refuses keys that it does not know: a Node's own
// Decode lets them pass.
func strict[T any](n *yaml.Node, into *T) error {
	b, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

const (
	maxBytes   = 1 << 20
	maxEntries = 2000
)

// read returns the entries. The rest of the file is for others.
func read(file []byte) ([]entry, []int, error) {
	if len(file) > maxBytes {
		return nil, nil, fmt.Errorf("hearth.yml is larger than %d bytes", maxBytes)
	}
	var whole struct {
		Devices []yaml.Node `yaml:"devices"`
	}
	if err := yaml.Unmarshal(file, &whole); err != nil {
		return nil, nil, fmt.Errorf("hearth.yml: %w", err)
	}
	if len(whole.Devices) > maxEntries {
		return nil, nil, fmt.Errorf("hearth.yml: more than %d devices", maxEntries)
	}
	var errs []error
	entries, lines := make([]entry, len(whole.Devices)), make([]int, len(whole.Devices))
	for i := range whole.Devices {
		lines[i] = whole.Devices[i].Line
		if err := strict(&whole.Devices[i], &entries[i]); err != nil {
			errs = append(errs, fmt.Errorf("hearth.yml: devices: %w", err))
		}
		source, _ := yaml.Marshal(&whole.Devices[i]) // strict has done it already
		entries[i].source = string(source)
	}
	return entries, lines, errors.Join(errs...)
}
