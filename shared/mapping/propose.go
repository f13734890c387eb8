package mapping

import (
	"cmp"
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
		if _, ok, err := parseText(string(payload), defaultWords); err != nil || !ok {
			return "", fmt.Errorf("the payload is neither JSON nor a number: %.60q", payload)
		}
		p.number(nil)
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
	if _, ok, err := number(raw, defaultWords); ok && err == nil {
		p.number(at)
	}
}

// number proposes a key for the number at a path.
func (p *proposal) number(at []step) {
	path := writePath(at)
	if len(p.fields) >= maxProposed || strings.ContainsAny(path, "\n\r") {
		return
	}
	if len(at) == 1 && at[0].index < 0 {
		if a, ok := aliases[at[0].key]; ok && !p.used[a.Key] {
			v := quote(path)
			if a.Factor != 1 {
				v = fmt.Sprintf("{path: %s, factor: %s}", quote(path), strconv.FormatFloat(a.Factor, 'g', -1, 64))
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
	if checkKey(key) != nil {
		key = strings.Trim("value_"+key, "_")
	}
	for n := 2; p.used[key] || checkKey(key) != nil; n++ {
		key = catalogue.Key("value_" + strconv.Itoa(len(p.fields)) + "_" + strconv.Itoa(n))
	}
	p.add(key, quote(path))
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
