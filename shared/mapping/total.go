package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/settings"
)

// term is one number of a sum or difference, or all numbers that a path with * has.
type term struct {
	slot int
	sign float64
	all  bool   // the path has a *: what is in the slot is a list or object
	rest []step // of the path after the first *
}

var (
	errOnePath    = errors.New("a field needs a path, as in $.key, or sum or difference with paths")
	errSeveral    = errors.New("write one of path, sum and difference")
	errAny        = errors.New("* is only for a sum")
	errDifference = errors.New("a difference needs two paths: the second number is subtracted from the first")
)

// number compiles where a field's number is.
func (c *compiler) number(m *fieldRule, key string) {
	f := &m.settings
	switch written := min(len(f.Path), 1) + min(len(f.Sum), 1) + min(len(f.Difference), 1); {
	case written == 0:
		c.check(key, errOnePath)
	case written > 1:
		c.check(key, errSeveral)
	case len(f.Path) > 0:
		m.slots = c.slots(key, f.Path)
	case len(f.Sum) > 0:
		m.terms = c.terms(key+".sum", f.Sum)
	case len(f.Difference) != 2:
		c.check(key+".difference", errDifference)
	default:
		m.terms = c.terms(key+".difference", f.Difference)
		m.terms[1].sign = -1
		if m.terms[0].all || m.terms[1].all {
			c.check(key+".difference", errAny)
		}
	}
}

// terms compiles the paths of a sum or difference.
func (c *compiler) terms(key string, paths []settings.Path) (out []term) {
	for i, p := range paths {
		at := key
		if len(paths) > 1 {
			at = fmt.Sprintf("%s[%d]", key, i)
		}
		t := term{sign: 1}
		steps, err := parsePath(string(p))
		if n := slices.IndexFunc(steps, isAny); err == nil && n >= 0 {
			t.slot, t.all, t.rest = c.place(steps[:n]), true, steps[n+1:]
		} else {
			t.slot = c.slot(at, string(p))
		}
		out = append(out, t)
	}
	return out
}

func isAny(s step) bool { return s.index == anyElement }

// number returns the number of a field in the unit in which it is stored. ok is false if
// the payload has none, or lacks one of a sum.
func (m *fieldRule) number(at [][]byte) (v float64, ok bool, err error) {
	if m.terms == nil {
		return m.first(at)
	}
	for i := range m.terms {
		t := &m.terms[i]
		one, ok, err := m.one(t, at[t.slot])
		if err != nil || !ok {
			return 0, false, err
		}
		v += t.sign * one
	}
	v, err = m.stored(m.unit, v)
	return v, err == nil, err
}

// first returns the number at the first of several paths that has one. A list or an
// object in the place of a number is no mistake where another path says that there is no
// value: [null] with $.x and $.x[0].
func (m *fieldRule) first(at [][]byte) (v float64, ok bool, err error) {
	var wider error
	none := false
	for _, slot := range m.slots {
		raw := at[slot]
		if raw == nil {
			continue
		}
		switch v, ok, bad := m.read(raw); {
		case ok && bad == nil:
			return v, true, nil
		case bad == nil:
			none = true
		case raw[0] == '[' || raw[0] == '{':
			wider = cmp.Or(wider, bad)
		default:
			err = cmp.Or(err, bad)
		}
	}
	if !none {
		err = cmp.Or(err, wider)
	}
	return 0, false, err
}

// one returns the number of a term.
func (m *fieldRule) one(t *term, raw []byte) (float64, bool, error) {
	switch {
	case raw == nil:
		return 0, false, nil
	case t.all:
		return m.total(raw, t.rest)
	}
	return m.sent(raw)
}

// total adds the numbers that a list or object has at a path in each element. A single
// number counts as a list of one. ok is false if an element has no number there, or
// there is no element. Elements that are texts or numbers, beside objects, do not count.
func (m *fieldRule) total(raw []byte, rest []step) (sum float64, ok bool, err error) {
	s := scan.New(raw)
	n, lacks := 0, false
	add := func() error {
		element, err := s.Raw()
		if err != nil {
			return err
		}
		kind := scan.New(element).Kind()
		if len(rest) > 0 && kind != scan.Object && kind != scan.Array && kind != scan.Null {
			return nil
		}
		v, ok, err := m.below(element, rest)
		sum += v
		n++
		lacks = lacks || !ok
		return err
	}
	switch s.Kind() {
	case scan.Array:
		err = s.Array(func(int) error { return add() })
	case scan.Object:
		err = s.Object(func([]byte) error { return add() })
	default:
		if len(rest) > 0 {
			return 0, false, nil
		}
		return m.sent(raw)
	}
	return sum, n > 0 && !lacks && err == nil, err
}

// below returns the number at a path in an element, or the sum of those if the path has
// a *.
func (m *fieldRule) below(element []byte, rest []step) (float64, bool, error) {
	n := slices.IndexFunc(rest, isAny)
	if n < 0 {
		raw := valueAt(element, rest)
		if raw == nil {
			return 0, false, nil
		}
		return m.sent(raw)
	}
	raw := valueAt(element, rest[:n])
	if raw == nil {
		return 0, false, nil
	}
	return m.total(raw, rest[n+1:])
}

// valueAt returns the bytes at a path, nil if there are none. doc is valid JSON.
func valueAt(doc []byte, steps []step) []byte {
	if len(steps) == 0 {
		return doc
	}
	t := &tree{}
	t.add(steps, 0)
	found := [][]byte{nil}
	if t.find(scan.New(doc), found) != nil {
		return nil
	}
	return found[0]
}
