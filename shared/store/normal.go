package store

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// Times outside of these are a wrong unit, not a moment in a house's life.
var (
	earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Normal returns the readings as every backend keeps them, so that what is
// read equals what was written: no empty tags, no characters that line protocol
// cannot carry. What no store can keep is ErrUnstorable.
func Normal(rs []reading.Reading) ([]reading.Reading, error) {
	out := make([]reading.Reading, len(rs))
	for i, r := range rs {
		r, err := asKept(r)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnstorable, err)
		}
		out[i] = r
	}
	return out, nil
}

func asKept(r reading.Reading) (reading.Reading, error) {
	if err := r.Check(); err != nil {
		return r, err
	}
	if r.Time.Before(earliest) || !r.Time.Before(latest) {
		return r, fmt.Errorf("%s: the time %s is outside %s to %s, which the stores can keep", r.Name, r.Time.UTC().Format(time.RFC3339),
			earliest.Format(time.DateOnly), latest.Format(time.DateOnly))
	}
	if err := checkKeys(r); err != nil {
		return r, err
	}
	r.Name, r.Tags, r.Fields, r.Text = word(r.Name), normalTags(r.Tags), normalFields(r.Fields), normalText(r.Text)
	r.Time = r.Time.UTC()
	return r, checkSize(r)
}

// checkKeys refuses what InfluxDB or Flux would take for their own, and a key
// that is both a tag and a value.
func checkKeys(r reading.Reading) error {
	for k := range r.Tags {
		if reserved(k) {
			return fmt.Errorf("%s: a tag cannot be called %q", r.Name, k)
		}
	}
	check := func(k string) error {
		if _, both := r.Tags[k]; both || k == "" || k == "time" || k[0] == '_' {
			return fmt.Errorf("%s: a field cannot be called %q", r.Name, k)
		}
		return nil
	}
	for k := range r.Fields {
		if err := check(k); err != nil {
			return err
		}
		if _, both := r.Text[k]; both {
			return fmt.Errorf("%s: %q is both a number and a text", r.Name, k)
		}
	}
	for k := range r.Text {
		if err := check(k); err != nil {
			return err
		}
	}
	return nil
}

// maxKey is how many bytes measurement, tags and field may have in line protocol
// together, 4 between them: what InfluxDB takes is what every store takes.
const maxKey = 65535

func checkSize(r reading.Reading) error {
	size, field := len(r.Name), 0
	for k, v := range r.Tags {
		size += len(k) + len(v) + 2
	}
	for k := range r.Fields {
		field = max(field, escapedSize(k))
	}
	for k := range r.Text {
		field = max(field, escapedSize(k))
	}
	if 2*size+field+4 <= maxKey { // even if every byte is escaped
		return nil
	}
	if size = len(r.Series()) + 4 + field; size > maxKey {
		return fmt.Errorf("%.100s: its name and tags have %d bytes, more than %d", r.Name, size, maxKey)
	}
	return nil
}

// escapedSize is how long a key is in line protocol.
func escapedSize(k string) int {
	return len(k) + strings.Count(k, " ") + strings.Count(k, ",") + strings.Count(k, "=")
}

func reserved(k string) bool {
	return k == "" || k == "time" || k == "result" || k == "table" || k[0] == '_'
}

func normalTags(tags map[string]string) map[string]string {
	out := make(map[string]string, len(tags))
	for k, v := range tags {
		if v != "" {
			out[word(k)] = word(v)
		}
	}
	return out
}

func normalText(texts map[string]string) map[string]string {
	if len(texts) == 0 {
		return nil
	}
	out := make(map[string]string, len(texts))
	for k, v := range texts {
		out[word(k)] = lineEnds.Replace(clean(v))
	}
	return out
}

func normalFields(fields map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(fields))
	for k, v := range fields {
		out[word(k)] = v + 0 // -0 becomes 0
	}
	return out
}

// word is s as a name, key or tag value.
func word(s string) string { return inLine.Replace(clean(s)) }

var (
	inLine   = strings.NewReplacer("\\", "/", "\n", " ", "\r", " ", "\t", " ") // as reading.Line writes names and tags
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")                   // as CSV answers carry them
)

// Nanos is t.UnixNano, at the ends of what an int64 holds for times beyond.
func Nanos(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}
