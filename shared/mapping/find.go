package mapping

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/topic"
)

// Found is what a message reports of one device.
type Found struct {
	Physical    string // the physical id
	Name        string // by its source
	Measurement string
	Values      []device.Value
	Text        map[string]string
	Time        time.Time // zero: the payload has none, the arrival counts
	Quality     quality.Quality
	Reason      string
}

// Find maps a message. ok is false if no mapping matches its topic. An error names
// what is refused; what is found beside is valid. It is safe for concurrent use.
func (s *Set) Find(topicName string, payload []byte) (found []Found, ok bool, err error) {
	var errs []error
	rules := s.rulesFor(topicName)
	for _, r := range rules {
		fs, err := r.find(topicName, payload)
		found = append(found, fs...)
		if err != errWhenNot {
			errs = append(errs, err)
		}
	}
	return found, len(rules) > 0, errors.Join(errs...)
}

// rulesFor returns the rules that match a topic, from a cache if possible.
func (s *Set) rulesFor(topicName string) []*rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, ok := s.byTopic[topicName]
	if ok {
		return rules
	}
	for _, r := range s.rules {
		if slices.ContainsFunc(r.filters, func(f string) bool { return topic.Match(f, topicName) }) {
			rules = append(rules, r)
		}
	}
	if len(s.byTopic) < maxTopics {
		s.byTopic[topicName] = rules
	}
	return rules
}

const maxElements = 1000 // of the list in one message

// find maps a payload: as a whole, or each element of its list.
func (r *rule) find(topicName string, payload []byte) (found []Found, err error) {
	if !r.hasEach {
		f, err := r.mapOne(topicName, "", payload)
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
		f, err := r.mapOne(topicName, key, element)
		if f != nil {
			found = append(found, *f)
		}
		if err != errWhenNot {
			errs = append(errs, err)
		}
		return nil
	})
	return found, errors.Join(append(errs, err)...)
}

var (
	errNoFields = missing("the message has none of the mapped fields")
	errWhenNot  = errors.New("the message is not what when says") // it is passed over in silence
	errElements = fmt.Errorf("there are more than %d elements", maxElements)
)

// missing is the error of a mapping that has nothing in a message: neither its fields nor
// a part of its device.
type missing string

func (m missing) Error() string { return string(m) }

// mapOne maps a payload, or one element of its list: the values of one device. It
// returns nil if no field was found. An error with a result names the fields that are
// left out.
func (r *rule) mapOne(topicName, key string, doc []byte) (*Found, error) {
	at, err := r.extract(doc)
	if err == nil && r.pairs != nil {
		err = r.pairs.find(topicName, doc, at)
	}
	if err != nil {
		return nil, err
	}
	if !r.holds(at) {
		return nil, errWhenNot
	}
	f := &Found{Measurement: r.measurement}
	if err := r.setDevice(f, topicName, key, at); err != nil {
		return nil, err
	}
	if f.Time, err = r.timeOf(at); err != nil {
		return nil, err
	}
	err = r.addValues(f, at)
	r.addTexts(f, at)
	if len(f.Values)+len(f.Text) == 0 {
		return nil, errors.Join(err, errNoFields)
	}
	return f, err
}

// extract returns the bytes at the path of each slot, nil where there are none. If a
// path is $, a payload that is not JSON is taken as a text.
func (r *rule) extract(doc []byte) ([][]byte, error) {
	at := make([][]byte, r.slots)
	s := scan.New(doc)
	err := cmp.Or(r.paths.find(s, at), s.End())
	if err == nil || !r.whole {
		return at, err
	}
	at = make([][]byte, r.slots)
	quoted, _ := json.Marshal(string(doc[:min(len(doc), 1<<10)])) // cannot fail: any text is valid
	if r.paths.find(scan.New(quoted), at) != nil {
		return nil, err
	}
	return at, nil
}

// timeOf returns the time in a payload, the zero time if there is none. Of several paths
// the first that has a time counts.
func (r *rule) timeOf(at [][]byte) (t time.Time, err error) {
	for _, slot := range r.times {
		raw := at[slot]
		if s := string(raw); s == "" || s == "null" || s == `""` {
			continue
		}
		t, bad := ParseTime(text(raw), r.zone)
		if bad == nil {
			return t, nil
		}
		err = cmp.Or(err, bad)
	}
	return time.Time{}, err
}

// addTexts adds the texts in a payload to f.
func (r *rule) addTexts(f *Found, at [][]byte) {
	for _, t := range r.texts {
		for _, slot := range t.slots {
			if s := text(at[slot]); s != "" {
				if f.Text == nil {
					f.Text = map[string]string{}
				}
				f.Text[t.key] = s
				break
			}
		}
	}
}

// addValues adds the numbers in a payload to f. The error joins those of the values that
// are left out.
func (r *rule) addValues(f *Found, at [][]byte) error {
	var errs []error
	for i := range r.fields {
		m := &r.fields[i]
		v, ok, err := m.number(at)
		if v = m.unit.Convert(v*m.factor + m.offset); err == nil && (math.IsInf(v, 0) || math.IsNaN(v)) {
			err = errors.New("the number times its factor is too large")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.key, err))
		} else if ok {
			f.Values = append(f.Values, device.Value{Key: m.key, V: v, Field: m.field})
		}
	}
	return errors.Join(errs...)
}

// setDevice sets the name and the physical id of f's device.
func (r *rule) setDevice(f *Found, topicName, key string, at [][]byte) (err error) {
	switch {
	case r.device.literal != "":
		f.Name, f.Physical = r.device.literal, mappedID(r.device.literal)
	case len(r.device.ways) > 0:
		f.Name, err = r.device.of(topicName, key, at)
		f.Physical = "mapped/" + f.Name
	default:
		f.Name = topic.Name(topicName)
		f.Physical = "topic/" + topicName
		if key != "" {
			f.Name += "-" + key
			f.Physical += "/" + key
		}
	}
	return err
}
