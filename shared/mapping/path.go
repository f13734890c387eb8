package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/scan"
)

// step is one step of a path. A path is $.a.b[0]['key with dots'], from the payload
// inwards. In a sum, [*] and .* stand for all elements of a list or object.
type step struct {
	key   string
	index int // isKey, or anyElement
}

const (
	isKey      = -1
	anyElement = -2
)

const maxSteps = 20

// parsePath parses a path. $ has no steps: it is the payload itself.
func parsePath(s string) ([]step, error) {
	rest, ok := strings.CutPrefix(s, "$")
	if !ok {
		return nil, fmt.Errorf("the path %q does not begin with $", s)
	}
	var out []step
	for rest != "" {
		var st step
		var err error
		if st, rest, err = parseStep(rest); err != nil {
			return nil, fmt.Errorf("the path %q: %w", s, err)
		}
		if out = append(out, st); len(out) > maxSteps {
			return nil, fmt.Errorf("the path %q has more than %d steps", s, maxSteps)
		}
	}
	return out, nil
}

var errPath = errors.New("write $.key, $.list[0] or $['key']")

func parseStep(s string) (step, string, error) {
	switch {
	case strings.HasPrefix(s, "['"), strings.HasPrefix(s, `["`):
		key, rest, ok := strings.Cut(s[2:], s[1:2]+"]")
		if !ok {
			return step{}, "", errPath
		}
		return step{key, isKey}, rest, nil
	case strings.HasPrefix(s, "[*]"):
		return step{"", anyElement}, s[3:], nil
	case s[0] == '[':
		text, rest, ok := strings.Cut(s[1:], "]")
		n, err := strconv.ParseUint(text, 10, 16)
		if !ok || err != nil {
			return step{}, "", errPath
		}
		return step{"", int(n)}, rest, nil
	case s[0] == '.':
		end := strings.IndexAny(s[1:], ".[") + 1
		if end == 0 {
			end = len(s)
		}
		if end == 1 {
			return step{}, "", errPath
		}
		if s[1:end] == "*" {
			return step{"", anyElement}, s[end:], nil
		}
		return step{s[1:end], isKey}, s[end:], nil
	}
	return step{}, "", errPath
}

// writePath is the inverse of parsePath.
func writePath(steps []step) string {
	b := []byte{'$'}
	for _, s := range steps {
		switch {
		case s.index >= 0:
			b = append(strconv.AppendInt(append(b, '['), int64(s.index), 10), ']')
		case s.index == anyElement:
			b = append(b, "[*]"...)
		case s.key == "" || s.key == "*" || strings.ContainsAny(s.key, ".["):
			b = append(append(append(b, "['"...), s.key...), "']"...)
		default:
			b = append(append(b, '.'), s.key...)
		}
	}
	return string(b)
}

// tree holds all paths of a rule, so that one pass over the payload finds all values.
type tree struct {
	slots   []int // of the paths that end here
	keys    map[string]*tree
	indexes map[int]*tree
}

func (t *tree) add(steps []step, slot int) {
	for _, s := range steps {
		var next *tree
		if s.index >= 0 {
			if t.indexes == nil {
				t.indexes = map[int]*tree{}
			}
			if next = t.indexes[s.index]; next == nil {
				next = &tree{}
				t.indexes[s.index] = next
			}
		} else {
			if t.keys == nil {
				t.keys = map[string]*tree{}
			}
			if next = t.keys[s.key]; next == nil {
				next = &tree{}
				t.keys[s.key] = next
			}
		}
		t = next
	}
	t.slots = append(t.slots, slot)
}

// find puts the bytes of each path's value into its slot. Slots without a value stay
// nil.
func (t *tree) find(s *scan.Scanner, into [][]byte) error {
	if t == nil {
		return s.Skip()
	}
	if len(t.slots) > 0 {
		raw, err := s.Raw()
		for _, slot := range t.slots {
			into[slot] = raw
		}
		if err != nil || t.keys == nil && t.indexes == nil {
			return err
		}
		s = scan.New(raw) // other paths continue inside this value
	}
	switch {
	case t.keys != nil && s.Kind() == scan.Object:
		return s.Object(func(key []byte) error { return t.keys[string(key)].find(s, into) })
	case t.indexes != nil && s.Kind() == scan.Array:
		return s.Array(func(i int) error { return t.indexes[i].find(s, into) })
	}
	return s.Skip()
}

var (
	errNoPath = errors.New("nothing is at the path")
	errNoList = errors.New("there is no list")
)

// elements calls fn for each element of the array or object at a path, with its index
// or key. It returns errNoPath if nothing is at the path.
func elements(doc []byte, steps []step, fn func(key string, element []byte) error) error {
	t := &tree{}
	t.add(steps, 0)
	found := [][]byte{nil}
	s := scan.New(doc)
	if err := cmp.Or(t.find(s, found), s.End()); err != nil {
		return err
	}
	s = scan.New(found[0])
	if found[0] == nil {
		return errNoPath
	}
	each := func(key string) error {
		raw, err := s.Raw()
		if err != nil {
			return err
		}
		return fn(key, raw)
	}
	switch s.Kind() {
	case scan.Array:
		return s.Array(func(i int) error { return each(strconv.Itoa(i)) })
	case scan.Object:
		return s.Object(func(key []byte) error { return each(string(key)) })
	}
	if _, _, ok, err := number(found[0], nil); !ok && err == nil {
		return nil
	}
	return fmt.Errorf("%w at %s", errNoList, writePath(steps))
}
