package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/scan"
)

// sight is what a rule saw of its paths in a message.
type sight int

const (
	nothing   sight = iota
	notMeant        // the message is not what when says
	emptyList       // its list has no elements
	aPath           // the path of a field or text, perhaps with null
)

// sees returns what a field without a number has in a payload. A sum has nothing if one of
// its numbers is not there.
func (m *fieldRule) sees(at [][]byte) sight {
	if slices.ContainsFunc(m.slots, func(slot int) bool { return at[slot] != nil }) {
		return aPath
	}
	seen := nothing
	for i := range m.terms {
		switch t := &m.terms[i]; {
		case at[t.slot] == nil, t.all && !IsEmpty(at[t.slot]):
			return nothing
		case t.all:
			seen = emptyList
		default:
			seen = max(seen, aPath)
		}
	}
	return seen
}

// NothingFound begins the error for a message in which no mapping found a path, while one
// of them never did in any message.
const NothingFound = "the message has none of the mapped fields"

// textError is the error for a word where the rule expects JSON: on many topics a device
// says so that it is online.
type textError struct{ error }

// notJSON returns err, why a payload is not JSON, as a textError if it is a word.
func notJSON(payload []byte, err error) error {
	const most = 64
	first := bytes.TrimLeft(payload, " \t\r\n")
	if err == nil || len(payload) > most || len(first) == 0 || bytes.IndexByte([]byte(`{["`), first[0]) >= 0 || !printable(payload) {
		return err
	}
	return textError{err}
}

func printable(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) < 0
}

// outcome gathers what the rules of one message found.
type outcome struct {
	seen    sight   // the most of all rules
	errs    []error // of values that cannot be read
	devices []error // of values without a device, which do not count if another rule found something
	unfound []*rule // which never found anything
	noJSON  error   // why a word is not JSON
}

// add adds the outcome of one rule.
func (o *outcome) add(r *rule, seen sight, err error) {
	o.seen = max(o.seen, seen)
	if err != nil {
		o.addError(r, seen, err)
	} else if seen == nothing && !r.found.Load() {
		o.unfound = append(o.unfound, r)
	}
}

func (o *outcome) addError(r *rule, seen sight, err error) {
	var noDevice missing
	var text textError
	switch {
	case errors.As(err, &noDevice) && seen == nothing:
		o.devices = append(o.devices, err)
	case !errors.As(err, &text):
		o.errs = append(o.errs, err)
	case seen == nothing && !r.found.Load():
		o.unfound, o.noJSON = append(o.unfound, r), text.error
	}
}

// err returns the error for the message, each cause once.
func (o *outcome) err(payload []byte) error {
	errs := o.errs
	if o.seen < emptyList && len(errs) == 0 {
		errs = o.devices
		if len(errs) == 0 && len(o.unfound) > 0 && !o.isChange(payload) {
			errs = []error{o.nothingFound()}
		}
	}
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	var out []error
	for _, e := range errs {
		if !slices.ContainsFunc(out, func(old error) bool { return old.Error() == e.Error() }) {
			out = append(out, e)
		}
	}
	return errors.Join(out...)
}

const maxChanges = 50

// isChange reports whether the message has only what changed, as a NotifyStatus of a
// Shelly: then it is no sign of a mistake that it has none of the mapped fields. After
// fifty such messages it is one.
// https://shelly-api-docs.shelly.cloud/gen2/General/Notifications
func (o *outcome) isChange(payload []byte) (is bool) {
	s := scan.New(payload)
	if s.Kind() != scan.Object || !bytes.Contains(payload, []byte("Notify")) {
		return false
	}
	err := s.Object(func(key []byte) error {
		if string(key) != "method" {
			return s.Skip()
		}
		raw, err := s.Raw()
		is = string(raw) == `"NotifyStatus"` || string(raw) == `"NotifyEvent"`
		return err
	})
	if err != nil || !is {
		return false
	}
	for _, r := range o.unfound {
		if r.changes.Add(1) > maxChanges {
			return false
		}
	}
	return true
}

// nothingFound names the fields of the rules that never found one.
func (o *outcome) nothingFound() error {
	const most = 5
	var keys []string
	for _, r := range o.unfound {
		r.refused.Store(true)
		for _, f := range r.fields {
			keys = append(keys, f.key)
		}
		for _, t := range r.texts {
			keys = append(keys, t.key)
		}
	}
	if len(keys) > most {
		keys = append(keys[:most], "…")
	}
	if o.noJSON != nil {
		return fmt.Errorf("%s: %w", NothingFound, o.noJSON)
	}
	return fmt.Errorf("%s: %s", NothingFound, strings.Join(keys, ", "))
}

// Remember takes the mappings with these hashes as ones that found something in an
// earlier message.
func (s *Set) Remember(hashes []string) {
	for _, r := range s.rules {
		if slices.Contains(hashes, r.hash) {
			r.found.Store(true)
		}
	}
}

// NewlyFound returns the hashes of all mappings that found something in some message, and
// the topic filters of those for which a message was refused before that. ok is false if
// that did not change since the last call.
func (s *Set) NewlyFound() (hashes, filters []string, ok bool) {
	if !s.news.Swap(false) {
		return nil, nil, false
	}
	for _, r := range s.rules {
		if !r.found.Load() {
			continue
		}
		hashes = append(hashes, r.hash)
		if r.refused.Swap(false) {
			filters = append(filters, r.filters...)
		}
	}
	return hashes, filters, true
}
