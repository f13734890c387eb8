package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// Fresh returns the readings that are not stored yet or whose stored values differ, and
// the number of the others. It first merges readings of the same series and time.
func (s *Store) Fresh(ctx context.Context, rs []reading.Reading) (fresh []reading.Reading, unchanged int, err error) {
	rs, err = Normal(rs)
	if err != nil {
		return nil, 0, err
	}
	rs = unite(rs)
	known := map[point]reading.Reading{}
	for name, span := range spans(rs) {
		have, err := s.Between(ctx, name, span.tags, span.from, span.to)
		if err != nil {
			return nil, 0, fmt.Errorf("read what is stored of %s: %w", name, err)
		}
		for _, r := range have {
			known[pointOf(r)] = r
		}
	}
	fresh = slices.DeleteFunc(slices.Clone(rs), func(r reading.Reading) bool {
		old, ok := known[pointOf(r)]
		return ok && holds(old, r)
	})
	return fresh, len(rs) - len(fresh), nil
}

// unite merges readings of the same series and time as a store does: the result has the
// fields of all, and the later value of a field wins. It keeps the order of the first
// ones.
func unite(rs []reading.Reading) []reading.Reading {
	at := make(map[point]int, len(rs))
	out := make([]reading.Reading, 0, len(rs))
	for _, r := range rs {
		p := pointOf(r)
		n, twice := at[p]
		if !twice {
			at[p] = len(out)
			out = append(out, r)
			continue
		}
		old := out[n]
		old.Fields, old.Text = united(old.Fields, r.Fields), united(old.Text, r.Text)
		out[n] = old
	}
	return out
}

// point is the key of a stored reading: its series and time.
type point struct {
	series string
	nanos  int64
}

func pointOf(r reading.Reading) point { return point{r.Series(), r.Time.UnixNano()} }

// span is the span of time of a measurement's readings, and their common tags.
type span struct {
	from, to time.Time
	tags     map[string]string
}

// spans returns the span of each measurement in rs.
func spans(rs []reading.Reading) map[string]*span {
	out := map[string]*span{}
	for _, r := range rs {
		s, ok := out[r.Name]
		if !ok {
			s = &span{r.Time, r.Time.Add(1), maps.Clone(r.Tags)}
			out[r.Name] = s
		}
		if r.Time.Before(s.from) {
			s.from = r.Time
		}
		if end := r.Time.Add(1); end.After(s.to) {
			s.to = end
		}
		maps.DeleteFunc(s.tags, func(k, v string) bool { return r.Tags[k] != v })
	}
	return out
}

// holds reports whether old has every value of r.
func holds(old, r reading.Reading) bool {
	for k, v := range r.Fields {
		if have, ok := old.Fields[k]; !ok || have != v {
			return false
		}
	}
	for k, v := range r.Text {
		if have, ok := old.Text[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// united returns the values of both maps; those of more win. It does not change its
// arguments, because they belong to the caller.
func united[V any](old, more map[string]V) map[string]V {
	if len(more) == 0 {
		return old
	}
	out := make(map[string]V, len(old)+len(more))
	maps.Copy(out, old)
	maps.Copy(out, more)
	return out
}
