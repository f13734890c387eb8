// Package unmapped says what hearth could make of messages that no mapping reads: it proposes a
// mapping for each topic, and tries mappings on the messages that wait as dead letters.
package unmapped

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topic"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	maxSamples = 5        // letters on which a mapping is tried
	maxMapping = 16 << 10 // bytes of a mapping
	maxValues  = 20       // values that a trial returns
)

// Topic is a topic whose messages no mapping reads.
type Topic struct {
	ID      string // stands for the topic in requests, since a topic may hold a secret
	Name    string
	Waiting int    // messages
	Mapping string // proposed: elements of the section devices of hearth.yml; "": the messages have no value
	samples [][]byte
}

// Value is what a mapping finds in a message: a number, or a text.
type Value struct {
	Device, Key string
	Field       catalogue.Field
	V           float64
	Text        string // "": it is a number
}

// Topics returns the topics of letters, the newest first, without those that a person left
// unmapped or mapped. With a proposal for each.
func Topics(letters []store.DeadLetter, saved []store.PageDevice) (out []Topic) {
	for _, l := range letters {
		if l.Function != "sensors" || !strings.HasPrefix(l.Reason, wire.Unmapped) || strings.HasPrefix(l.Topic, wire.Prefix) ||
			slices.ContainsFunc(saved, func(p store.PageDevice) bool { return p.Topic == l.Topic }) {
			continue
		}
		i := slices.IndexFunc(out, func(t Topic) bool { return t.Name == l.Topic })
		if i < 0 {
			i = len(out)
			out = append(out, Topic{ID: idOf(l.Topic), Name: l.Topic})
		}
		out[i].Waiting++
		if int64(len(l.Sample)) == l.Size && len(out[i].samples) < maxSamples { // all of it is there
			out[i].samples = append(out[i].samples, l.Sample)
		}
	}
	for i := range out {
		for _, s := range out[i].samples {
			if block, err := mapping.Propose(out[i].Name, s); err == nil {
				out[i].Mapping = Elements(block)
				break
			}
		}
	}
	return out
}

// idOf returns a name for a topic that does not give it away.
func idOf(topic string) string {
	h := fnv.New64a()
	h.Write([]byte(topic))
	return fmt.Sprintf("t%x", h.Sum64())
}

// Elements returns a mapping without the line "devices:".
func Elements(block string) string {
	block = strings.ReplaceAll(block, "\r\n", "\n")
	return strings.TrimPrefix(strings.TrimLeft(block, "\n"), "devices:\n")
}

// Try returns what a mapping finds in the messages that wait: the values of the newest one in
// which it finds something. The error says what is wrong with the mapping, or why it finds
// nothing.
func (t Topic) Try(text string) ([]Value, error) {
	if len(text) > maxMapping {
		return nil, errors.New("the mapping is longer than 16 KiB: write it in hearth.yml")
	}
	for line := range strings.Lines(text) { // another section would parse, too
		if !strings.ContainsAny(line[:1], "- \t#\r\n") {
			return nil, fmt.Errorf("the mapping is one element of devices, so that its lines begin with - or a space: not %.40q", strings.TrimSpace(line))
		}
	}
	f := settings.Parse([]byte("devices:\n" + text))
	set := mapping.Compile(f)
	set.CheckNames(f, f.Mistake)
	if err := f.Err(); err != nil {
		return nil, err
	}
	if len(f.Devices) != 1 || !matches(f.Devices[0].Topic, t.Name) {
		return nil, errors.New("the mapping must be one element with the topic of these messages")
	}
	if len(t.samples) == 0 {
		return nil, errors.New("the messages are longer than 4 KiB, so that only a part of them is here: write the mapping in hearth.yml")
	}
	var first error
	for _, s := range t.samples {
		found, _, err := set.Find(t.Name, s)
		if values := valuesOf(found, set); len(values) > 0 {
			return values[:min(len(values), maxValues)], nil
		}
		first = cmp.Or(first, err)
	}
	return nil, cmp.Or(first, errors.New("the mapping finds nothing in the messages that wait"))
}

func matches(filters []string, name string) bool {
	return slices.ContainsFunc(filters, func(f string) bool { return topic.Match(f, name) })
}

func valuesOf(found []mapping.Found, set *mapping.Set) (out []Value) {
	for _, f := range found {
		m, _ := set.Get(f.Measurement)
		for _, v := range f.Values {
			value := Value{Device: f.Name, Key: v.Key, V: v.V}
			if declared, ok := m.Field(v.Key); ok {
				value.Field = declared
				value.Field.Title = declared.TitleOf(v.Key)
			} else {
				value.Field = catalogue.Field{Key: v.Key, Title: catalogue.Title(v.Key), Unit: catalogue.KeyUnit(v.Key)}
			}
			value.Field.Title = cmp.Or(value.Field.Title, catalogue.Title(v.Key))
			value.Field.Unit = cmp.Or(value.Field.Unit, catalogue.KeyUnit(v.Key))
			out = append(out, value)
		}
		for key, text := range f.Text {
			out = append(out, Value{Device: f.Name, Key: key, Text: text, Field: catalogue.Field{Key: key, Title: catalogue.Title(key)}})
		}
	}
	slices.SortStableFunc(out, func(a, b Value) int {
		return cmp.Or(strings.Compare(a.Device, b.Device), strings.Compare(a.Key, b.Key))
	})
	return out
}

// Saved returns what a mapping says of its device, if it names one: id, name and room.
func Saved(text string) (id, name, room string) {
	f := settings.Parse([]byte("devices:\n" + text))
	if f.Err() != nil || len(f.Devices) != 1 {
		return "", "", ""
	}
	d := f.Devices[0]
	if len(d.Device) == 1 && !strings.ContainsAny(d.Device[0], "${") {
		id = d.Device[0]
	}
	return id, d.Name, d.Room
}
