package mapping

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topic"
)

// Found is what a message reports of one device.
type Found struct {
	Physical    string // the physical id
	Name        string // by its source
	Measurement string
	Values      []device.Value
	Text        map[string]string
	Moment      // no time: the arrival counts
	Quality     quality.Quality
	Reason      string
}

// Find maps a message. ok is false if no mapping matches its topic. An error names
// what is refused; what is found beside is valid. It is safe for concurrent use.
//
// It is no error that a mapping finds none of its paths, unless it never did in any
// message, and no other mapping finds something in this one. Then its paths may be wrong.
func (s *Set) Find(topicName string, payload []byte) (found []Found, ok bool, err error) {
	rules := s.rulesFor(topicName)
	var o outcome
	for _, r := range rules {
		fs, seen, err := r.find(topicName, payload)
		found = append(found, fs...)
		if seen == aPath && !r.found.Load() {
			r.found.Store(true)
			s.news.Store(true)
		}
		o.add(r, seen, err)
	}
	return found, len(rules) > 0, o.err(payload)
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
func (r *rule) find(topicName string, payload []byte) (found []Found, seen sight, err error) {
	if !r.hasEach {
		f, seen, err := r.mapOne(topicName, "", payload, nil)
		if f == nil {
			return nil, seen, err
		}
		return []Found{*f}, seen, err
	}
	var errs []error
	n := 0
	outside := r.valuesOutside(payload)
	err = elements(payload, r.each, func(key string, element []byte) error {
		if n++; n > maxElements {
			return errElements
		}
		f, one, err := r.mapOne(topicName, key, element, outside)
		if f != nil {
			found = append(found, *f)
		}
		errs, seen = append(errs, err), max(seen, one)
		return nil
	})
	switch {
	case err == errNoPath:
		return nil, nothing, nil
	case err == nil && n == 0:
		seen = emptyList
	}
	return found, seen, errors.Join(append(errs, notJSON(payload, err))...)
}

// valuesOutside returns the values outside of the list that the elements use, by slot; nil
// if there are none.
func (r *rule) valuesOutside(payload []byte) [][]byte {
	if r.outside.keys == nil && r.outside.indexes == nil && r.outside.slots == nil {
		return nil
	}
	at := make([][]byte, r.slots)
	if r.outside.find(scan.New(payload), at) != nil {
		return nil // the payload is not JSON, which the list's error says
	}
	return at
}

var errElements = fmt.Errorf("there are more than %d elements", maxElements)

// missing is the error of a mapping that has values in a message, but not the device that
// they are of.
type missing string

func (m missing) Error() string { return string(m) }

// mapOne maps a payload, or one element of its list: the values of one device. It
// returns nil if there is no value. An error with a result names the fields that are
// left out. outside are the values outside of the list.
func (r *rule) mapOne(topicName, key string, doc []byte, outside [][]byte) (*Found, sight, error) {
	at, doc, err := r.extract(doc)
	for slot, raw := range outside {
		if raw != nil && err == nil {
			at[slot] = raw
		}
	}
	seen := nothing
	if err == nil && r.pairs != nil {
		seen, err = r.pairs.find(topicName, doc, at)
	}
	switch {
	case err != nil:
		return nil, nothing, err
	case !r.holds(at):
		return nil, notMeant, nil
	}
	f := &Found{Measurement: r.measurement}
	numbers, bad := r.addValues(f, at)
	texts, badText := r.addTexts(f, at)
	if bad = errors.Join(bad, badText); len(f.Values)+len(f.Text) == 0 {
		return nil, max(seen, numbers, texts), bad
	}
	if err := r.setDevice(f, topicName, key, at); err != nil {
		return nil, nothing, err
	}
	if f.Moment, err = r.timeOf(at); err != nil {
		return nil, aPath, err
	}
	return f, aPath, bad
}

// extract returns the bytes at the path of each slot, nil where there are none, and the
// payload as JSON. If a path is $, a payload that is not JSON is taken as a text.
func (r *rule) extract(doc []byte) (at [][]byte, asJSON []byte, err error) {
	at = make([][]byte, r.slots)
	s := scan.New(doc)
	err = cmp.Or(r.paths.find(s, at), s.End())
	if err == nil || !r.whole {
		return at, doc, notJSON(doc, err)
	}
	at = make([][]byte, r.slots)
	quoted, _ := json.Marshal(string(doc[:min(len(doc), 1<<10)])) // cannot fail: any text is valid
	if r.paths.find(scan.New(quoted), at) != nil {
		return nil, nil, err
	}
	return at, quoted, nil
}

// timeOf returns the time in a payload, the zero Moment if there is none. Of several paths
// the first that has a time counts.
func (r *rule) timeOf(at [][]byte) (m Moment, err error) {
	for _, slot := range r.times {
		raw := at[slot]
		if len(raw) == 0 || IsEmpty(raw) {
			continue
		}
		s := text(raw)
		if NoValue(s) {
			continue
		}
		m, bad := ParseMoment(s, r.zone)
		if bad == nil {
			return m, nil
		}
		err = cmp.Or(err, bad)
	}
	return Moment{}, err
}

// addTexts adds the texts in a payload to f. The error joins those of the values that are
// none.
func (r *rule) addTexts(f *Found, at [][]byte) (seen sight, err error) {
	var errs []error
	for _, t := range r.texts {
		s, bad := "", error(nil)
		for _, slot := range t.slots {
			raw := at[slot]
			if raw == nil {
				continue
			}
			seen = aPath
			if s = text(raw); s != "" {
				break
			}
			if !IsEmpty(raw) {
				bad = cmp.Or(bad, fmt.Errorf("%s: %.40s is not a text", t.key, raw))
			}
		}
		if s == "" {
			errs = append(errs, bad)
			continue
		}
		if f.Text == nil {
			f.Text = map[string]string{}
		}
		f.Text[t.key] = s
	}
	return seen, errors.Join(errs...)
}

// addValues adds the numbers in a payload to f. The error joins those of the values that
// are left out.
func (r *rule) addValues(f *Found, at [][]byte) (seen sight, err error) {
	var errs []error
	for i := range r.fields {
		m := &r.fields[i]
		v, ok, err := m.number(at)
		if err != nil {
			errs, seen = append(errs, fmt.Errorf("%s: %w", m.key, err)), aPath
		} else if ok {
			f.Values, seen = append(f.Values, device.Value{Key: m.key, V: v, Field: m.field}), aPath
		} else if seen < aPath {
			seen = max(seen, m.sees(at))
		}
	}
	return seen, errors.Join(errs...)
}

// setDevice sets the name and the physical id of f's device.
func (r *rule) setDevice(f *Found, topicName, key string, at [][]byte) (err error) {
	switch {
	case r.device.literal != "":
		f.Name, f.Physical = r.device.literal, store.MappedID(r.device.literal)
	case len(r.device.ways) > 0:
		f.Name, err = r.device.of(topicName, key, at)
		f.Physical = "mapped/" + f.Name
	default:
		f.Name = topicName
		f.Physical = "topic/" + topicName
		if key != "" {
			f.Name += "-" + key
			f.Physical += "/" + key
		}
	}
	return err
}
