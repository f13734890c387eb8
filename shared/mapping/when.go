package mapping

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/scan"
)

// condition is one line of when: the value of a slot must match one of the patterns.
type condition struct {
	slot     int
	patterns []pattern
}

// pattern is a value that a condition accepts: a text in which * stands for any
// characters, or a number.
type pattern struct {
	pieces   []string // of the text, divided at each *
	number   float64
	isNumber bool
}

var errWhen = errors.New("a condition needs a value, or a list of values of which one must hold, as in {$.model: Acurite-Tower}")

// conditions compiles when.
func (c *compiler) conditions() {
	for _, path := range slices.Sorted(maps.Keys(c.When)) {
		key := ".when." + path
		if len(c.When[path]) == 0 {
			c.check(key, errWhen)
		}
		w := condition{slot: c.slot(key, path)}
		for _, v := range c.When[path] {
			p := pattern{pieces: strings.Split(string(v), "*")}
			if n, err := strconv.ParseFloat(string(v), 64); err == nil {
				p.number, p.isNumber = n, true
			}
			w.patterns = append(w.patterns, p)
		}
		c.rule.when = append(c.rule.when, w)
	}
}

// holds reports whether all conditions hold.
func (r *rule) holds(at [][]byte) bool {
	for i := range r.when {
		if raw := at[r.when[i].slot]; raw == nil || !r.when[i].accepts(raw) {
			return false
		}
	}
	return true
}

func (c *condition) accepts(raw []byte) bool {
	s := scan.New(raw)
	kind := s.Kind()
	if kind != scan.String && kind != scan.Number && kind != scan.Bool {
		return false // null, a list or an object
	}
	t := text(raw)
	for i := range c.patterns {
		p := &c.patterns[i]
		if p.matches(t) {
			return true
		}
		if kind == scan.Number && p.isNumber {
			if v, err := scan.New(raw).Float(); err == nil && v == p.number {
				return true
			}
		}
	}
	return false
}

func (p *pattern) matches(t string) bool { return matchPieces(p.pieces, t) }

// matchPieces reports whether a text begins with the first piece, ends with the last, and
// has the others between them in this order. One piece is the whole text.
func matchPieces(pieces []string, t string) bool {
	last := len(pieces) - 1
	if last == 0 {
		return t == pieces[0]
	}
	rest, ok := strings.CutPrefix(t, pieces[0])
	for _, p := range pieces[1:last] {
		if ok {
			_, rest, ok = strings.Cut(rest, p)
		}
	}
	return ok && strings.HasSuffix(rest, pieces[last])
}
