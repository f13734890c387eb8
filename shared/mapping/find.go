package mapping

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/topic"
)

// Found is what a message says of one device.
type Found struct {
	Physical    string
	Name        string // what its source calls it
	Measurement string
	Values      []device.Value
	Text        map[string]string
	Time        time.Time // zero: the message's arrival
	Quality     quality.Quality
	Reason      string
}

// Find maps a message. ok is false where no mapping wants its topic. An error
// names what is wrong with it; what is found beside is good.
func (s *Set) Find(on string, payload []byte) (found []Found, ok bool, err error) {
	var errs []error
	rules := s.of(on)
	for _, r := range rules {
		fs, err := r.find(on, payload)
		found, errs = append(found, fs...), append(errs, err)
	}
	return found, len(rules) > 0, errors.Join(errs...)
}

func (s *Set) of(on string) []*rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, ok := s.byTopic[on]
	if ok {
		return rules
	}
	for _, r := range s.rules {
		if slices.ContainsFunc(r.filters, func(f string) bool { return topic.Match(f, on) }) {
			rules = append(rules, r)
		}
	}
	if len(s.byTopic) < maxTopics {
		s.byTopic[on] = rules
	}
	return rules
}

const maxElements = 1000 // of a list in one message

func (r *rule) find(on string, payload []byte) (found []Found, err error) {
	if !r.hasEach {
		f, err := r.one(on, "", payload)
		if f == nil {
			return nil, err
		}
		return []Found{*f}, err
	}
	var errs []error
	n := 0
	err = elements(payload, r.each, func(key string, element []byte) error {
		if n++; n > maxElements {
			return errElements
		}
		f, err := r.one(on, key, element)
		if f != nil {
			found = append(found, *f)
		}
		errs = append(errs, err)
		return nil
	})
	return found, errors.Join(append(errs, err)...)
}

var (
	errNone     = errors.New("none of the mapped fields is in it")
	errElements = fmt.Errorf("there are more than %d elements", maxElements)
)

// one maps a payload, or an element of it, of one device.
func (r *rule) one(on, key string, doc []byte) (*Found, error) {
	at := make([][]byte, r.slots)
	s := scan.New(doc)
	if err := cmp.Or(r.paths.find(s, at), s.End()); err != nil {
		if !r.whole {
			return nil, err
		}
		at = make([][]byte, r.slots)
		quoted, _ := json.Marshal(string(doc[:min(len(doc), 1<<10)])) // a text is always JSON
		if r.paths.find(scan.New(quoted), at) != nil {
			return nil, err
		}
	}
	f := &Found{Measurement: r.measurement}
	if err := r.name(f, on, key, at); err != nil {
		return nil, err
	}
	if r.timeSlot >= 0 {
		if said := string(at[r.timeSlot]); said != "" && said != "null" && said != `""` { // else arrival
			t, err := ParseTime(text(at[r.timeSlot]), r.zone)
			if err != nil {
				return nil, err
			}
			f.Time = t
		}
	}
	var errs []error
	for _, m := range r.fields {
		if at[m.slot] == nil {
			continue
		}
		v, ok, err := number(at[m.slot], m.words)
		if v = m.unit.Convert(v*m.factor + m.offset); err == nil && (math.IsInf(v, 0) || math.IsNaN(v)) {
			err = errors.New("with its factor it is beyond what a number can be")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.key, err))
		} else if ok {
			f.Values = append(f.Values, device.Value{Key: m.key, V: v, Field: m.field})
		}
	}
	for _, t := range r.texts {
		if s := text(at[t.slot]); s != "" {
			if f.Text == nil {
				f.Text = map[string]string{}
			}
			f.Text[t.key] = s
		}
	}
	if len(f.Values)+len(f.Text) == 0 {
		return nil, errors.Join(append(errs, errNone)...)
	}
	return f, errors.Join(errs...)
}

// name finds which device it is.
func (r *rule) name(f *Found, on, key string, at [][]byte) error {
	switch {
	case r.deviceSlot >= 0:
		if f.Name = text(at[r.deviceSlot]); f.Name == "" {
			return fmt.Errorf("there is no device at %s", r.device)
		}
	case r.device == "":
		f.Name = topic.Name(on)
		f.Physical = "topic/" + on
		if key != "" {
			f.Name += "-" + key
			f.Physical += "/" + key
		}
		return nil
	case strings.Contains(r.device, "{"):
		var err error
		if f.Name, err = filled(r.device, strings.Split(strings.TrimPrefix(on, "/"), "/"), key); err != nil {
			return err
		}
	default:
		f.Name, f.Physical = r.device, ownID(r.device)
		return nil
	}
	f.Physical = "mapped/" + f.Name
	return nil
}

// filled puts levels of a topic, counted from 1, and a list's key into a name.
func filled(name string, levels []string, key string) (string, error) {
	var b strings.Builder
	for rest := name; ; {
		before, after, open := strings.Cut(rest, "{")
		b.WriteString(before)
		if !open {
			return b.String(), nil
		}
		what, behind, _ := strings.Cut(after, "}")
		part := key
		if what != "key" {
			part = ""
			if n, err := strconv.Atoi(what); err == nil && n >= 1 && n <= len(levels) {
				part = levels[n-1]
			}
		}
		if part == "" {
			return "", fmt.Errorf("there is no {%s} for the device %s", what, name)
		}
		b.WriteString(part)
		rest = behind
	}
}
