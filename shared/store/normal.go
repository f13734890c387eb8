package store

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// A time outside of these bounds is probably in the wrong unit.
var (
	earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Normal returns the readings as every backend stores them, so that a read returns
// exactly these: without empty tags, and without characters that line protocol cannot
// encode. It returns ErrUnstorable for a reading that some backend cannot store.
func Normal(rs []reading.Reading) ([]reading.Reading, error) {
	out := make([]reading.Reading, len(rs))
	for i, r := range rs {
		r, err := normalize(r)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnstorable, err)
		}
		out[i] = r
	}
	return out, nil
}

func normalize(r reading.Reading) (reading.Reading, error) {
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
	r.Name, r.Tags, r.Fields, r.Text = oneLine(r.Name), normalTags(r.Tags), normalFields(r.Fields), normalText(r.Text)
	r.Time = r.Time.UTC()
	return r, checkSize(r)
}

// checkKeys returns an error for a key that InfluxDB or Flux reserve, and for a key that
// is both a tag and a field.
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

// maxKey is the limit for measurement, tags and field in line protocol together, in bytes,
// with 4 bytes between tags and field. InfluxDB's limit is 65,535; the longest field of a
// roll-up has the name of the reading's field and ":suspect". All stores have the same limit.
const maxKey = 65535 - len(":suspect")

// checkSize returns an error if a key of r is longer than maxKey.
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
	if 2*size+field+4 <= maxKey { // short enough even if every byte is escaped
		return nil
	}
	if size = len(r.Series()) + 4 + field; size > maxKey {
		return fmt.Errorf("%.100s: its name and tags have %d bytes, more than %d", r.Name, size, maxKey)
	}
	return nil
}

// escapedSize returns the length of a key in line protocol.
func escapedSize(k string) int {
	return len(k) + strings.Count(k, " ") + strings.Count(k, ",") + strings.Count(k, "=")
}

// reserved reports whether InfluxDB or Flux use k themselves.
func reserved(k string) bool {
	return k == "" || k == "time" || k == "result" || k == "table" || k[0] == '_'
}

func normalTags(tags map[string]string) map[string]string {
	out := make(map[string]string, len(tags))
	for k, v := range tags {
		if v != "" {
			out[oneLine(k)] = oneLine(v)
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
		out[oneLine(k)] = lineEnds.Replace(clean(v))
	}
	return out
}

func normalFields(fields map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(fields))
	for k, v := range fields {
		out[oneLine(k)] = v + 0 // -0 becomes 0
	}
	return out
}

// oneLine returns s as a name, key or tag value: in one line, without backslashes.
func oneLine(s string) string { return inLine.Replace(clean(s)) }

var (
	inLine   = strings.NewReplacer("\\", "/", "\n", " ", "\r", " ", "\t", " ") // as reading.Line writes names and tags
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")                   // as CSV answers have them
)

// Nanos returns t.UnixNano. For times that the stores cannot hold it returns the
// smallest or largest int64.
func Nanos(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}
