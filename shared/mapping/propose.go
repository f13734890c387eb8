package mapping

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/topic"
)

const (
	maxProposed = 60 // fields
	maxIndexes  = 8  // elements of a list
)

// Propose returns a block for hearth.yml that maps messages like this one. A person
// must edit it: the keys and units are guesses. It returns an error if the payload has
// no number.
func Propose(topicName string, payload []byte) (string, error) {
	p := &proposal{used: map[string]bool{}}
	s := scan.New(payload)
	if err := cmp.Or(p.value(s, nil), s.End()); err != nil {
		p = &proposal{used: map[string]bool{}}
		_, unit, ok, err := parseText(string(payload), defaultWords)
		if err != nil || !ok {
			return "", fmt.Errorf("the payload is neither JSON nor a number: %.60q", payload)
		}
		raw, _ := json.Marshal(string(payload)) // cannot fail: any text is valid
		p.number(nil, raw, unit)
	}
	if len(p.fields) == 0 {
		return "", errors.New("there is no number in the payload")
	}
	name := device.ID(topic.Name(topicName))
	var b strings.Builder
	fmt.Fprintf(&b, "devices:\n  - device: %s\n    topic: %s\n", quote(name), quote(topicName))
	if p.time != "" {
		fmt.Fprintf(&b, "    time: %s\n", quote(p.time))
	}
	b.WriteString("    fields:\n")
	for _, f := range p.fields {
		fmt.Fprintf(&b, "      %s: %s\n", f.key, f.value)
	}
	return b.String(), nil
}

type proposal struct {
	fields []proposed
	used   map[string]bool
	time   string
}

type proposed struct{ key, value string }

func (p *proposal) value(s *scan.Scanner, at []step) error {
	switch s.Kind() {
	case scan.Object:
		return s.Object(func(key []byte) error { return p.value(s, append(slices.Clone(at), step{string(key), -1})) })
	case scan.Array:
		return s.Array(func(i int) error {
			if i >= maxIndexes {
				return s.Skip()
			}
			return p.value(s, append(slices.Clone(at), step{"", i}))
		})
	case scan.Number, scan.Bool, scan.String:
		raw, err := s.Raw()
		if err == nil {
			p.scalar(raw, at)
		}
		return err
	}
	return s.Skip()
}

var timeKeys = map[string]bool{"time": true, "timestamp": true, "ts": true, "datetime": true, "last_seen": true}

func (p *proposal) scalar(raw []byte, at []step) {
	if len(at) > maxSteps || len(at) > 0 && strings.ContainsAny(at[len(at)-1].key, "'\n\r") {
		return
	}
	if len(at) > 0 && timeKeys[strings.ToLower(at[len(at)-1].key)] {
		if _, err := ParseTime(text(raw), time.UTC); err == nil {
			if p.time == "" {
				p.time = writePath(at)
			}
			return
		}
	}
	if _, unit, ok, err := number(raw, defaultWords); ok && err == nil {
		p.number(at, raw, unit)
	}
}

// number proposes a key for the number at a path. unit is behind the number in its text.
func (p *proposal) number(at []step, raw []byte, unit string) {
	path := writePath(at)
	if len(p.fields) >= maxProposed || strings.ContainsAny(path, "\n\r") {
		return
	}
	if len(at) == 1 && at[0].index < 0 {
		if a, ok := aliases[at[0].key]; ok && !p.used[a.Key] {
			if _, ok, err := a.Number(raw); !ok || err != nil {
				return // a switch, or another unit
			}
			v := quote(path)
			if a.factor != 1 && unit == "" {
				v = fmt.Sprintf("{path: %s, factor: %s}", quote(path), strconv.FormatFloat(a.factor, 'g', -1, 64))
			}
			p.add(a.Key, v)
			return
		}
	}
	var parts []string
	for _, s := range at {
		switch {
		case s.index >= 0:
			parts = append(parts, strconv.Itoa(s.index))
		default:
			parts = append(parts, s.key)
		}
	}
	key := catalogue.Key(strings.Join(parts, "_"))
	if u, known := catalogue.UnitOf(unit); known && key != "" {
		key = u.Key(key)
	}
	if checkKey(key) != nil {
		key = strings.Trim("value_"+key, "_")
	}
	for n := 2; p.used[key] || checkKey(key) != nil; n++ {
		key = catalogue.Key("value_" + strconv.Itoa(len(p.fields)) + "_" + strconv.Itoa(n))
	}
	if reads(key, raw) {
		p.add(key, quote(path))
	}
}

// reads reports whether a field with this key has a number for the value: a word of a
// switch is none of a field with a unit.
func reads(key string, raw []byte) bool {
	unit := catalogue.KeyUnit(key)
	r := valueRule{factor: 1, unit: catalogue.Unit{Factor: 1}, symbol: unit, words: wordsOf(nil, unit)}
	_, ok, err := r.read(raw)
	return ok && err == nil
}

func (p *proposal) add(key, value string) {
	p.used[key] = true
	p.fields = append(p.fields, proposed{key, value})
}

// quote writes a YAML scalar that is always read as a text.
func quote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-/.$") == "" && s[0] >= 'a' && s[0] <= 'z' &&
		!slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	if strings.HasPrefix(s, "$") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.") == "" {
		return s
	}
	return strconv.Quote(strings.ToValidUTF8(s, ""))
}
