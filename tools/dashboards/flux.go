package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// series asks for numbers over time: one series for each device (or place, symbol …),
// part of it and key, with a mean, sum or last value for each window.
type series struct {
	of    []catalogue.Measurement // all of them kept by roll-ups, or none
	keys  []string                // declared keys; those of parts of a device are among the answers. None: all keys that are not declared
	fn    string                  // of a window: mean, sum or last; "": mean
	where string                  // further condition on r; "": none
	whole bool                    // only of the device itself, not of its parts
	total bool                    // the sum over all series; of means, a window without a value counts as the one before
	then  string                  // what follows the query, as in |> mean()
}

// How long a span may be to be read from the readings, from the roll-ups of 5 minutes.
const (
	longRaw  = 26 * time.Hour
	longFine = 40 * 24 * time.Hour
)

const day = 24 * time.Hour

// flux returns the query. Grafana replaces v.timeRangeStart, v.timeRangeStop,
// v.windowPeriod and v.defaultBucket, the data source's bucket.
func (s series) flux() string {
	s.fn = cmp.Or(s.fn, "mean")
	var b strings.Builder
	b.WriteString("import \"strings\"\n\n")
	if kept := s.kept(); kept.Rolled {
		b.WriteString(sources(kept))
		fmt.Fprintf(&b, "older = %s\n", s.read("bucket", "time(v: int(v: start) - 1000000)", "time(v: edge - 1)", true))
		fmt.Fprintf(&b, "newer = %s\n", s.read("v.defaultBucket", "time(v: edge)", "stop", false))
		b.WriteString("union(tables: [older, newer])\n")
	} else {
		b.WriteString(s.read("v.defaultBucket", "v.timeRangeStart", "v.timeRangeStop", false) + "\n")
	}
	fmt.Fprintf(&b, "  |> map(fn: (r) => ({_time: r._time, _value: r._value, name: %s}))\n", s.name())
	b.WriteString("  |> group(columns: [\"name\"])\n  |> sort(columns: [\"_time\"])\n")
	if s.filled() {
		b.WriteString("  |> fill(usePrevious: true)\n")
	}
	if s.total {
		b.WriteString("  |> group(columns: [\"_time\"])\n  |> sum()\n  |> group()\n  |> sort(columns: [\"_time\"])\n")
	}
	if s.then != "" {
		fmt.Fprintf(&b, "  %s\n", s.then)
	}
	return b.String()
}

// filled reports whether a window without a value has the one before, so that devices
// that report at different times can be added up.
func (s series) filled() bool { return s.total && s.fn == "mean" }

// kept returns how the measurements are kept: each number as that of the one that is
// kept the shortest time.
func (s series) kept() catalogue.Kept {
	kept := s.of[0].Keep.Kept()
	for _, m := range s.of[1:] {
		k := m.Keep.Kept()
		if k.Rolled != kept.Rolled {
			panic(fmt.Sprintf("%s and %s in one query: one has roll-ups", s.of[0].Name, m.Name))
		}
		kept.Raw, kept.Fine = min(kept.Raw, k.Raw), min(kept.Fine, k.Fine)
	}
	return kept
}

// sources returns the part of a query that picks the bucket of the older part of the
// span, and the edge from which on the newest readings are read, which are not yet
// rolled up. In InfluxDB 1.8 a bucket is called database/policy, and a range includes its
// end: so the older part ends a nanosecond before the edge. It begins a millisecond early,
// because a range must not be empty; no roll-up has a time in that millisecond.
func sources(kept catalogue.Kept) string {
	fine := fmt.Sprintf("span > %d * hour", longRaw/time.Hour)
	if kept.Raw < kept.Fine {
		fine += fmt.Sprintf(" or age > %d * hour", (kept.Raw-day)/time.Hour)
	}
	return fmt.Sprintf(`// Readings for a short span and the last two hours, else roll-ups of 5 minutes or an hour.
start = v.timeRangeStart
stop = v.timeRangeStop
hour = 3600000000000
span = int(v: stop) - int(v: start)
age = int(v: now()) - int(v: start)
rolled = (ending) => strings.trimSuffix(v: strings.replace(v: v.defaultBucket + "/", t: "/", u: ending + "/", i: 1), suffix: "/")
bucket = if span > %d * hour or age > %d * hour then rolled(ending: "_1h") else if %s then rolled(ending: "_5m") else v.defaultBucket
recent = (int(v: now()) / hour - 2) * hour
latest = int(v: stop) - 1000000
edge = if bucket == v.defaultBucket or recent < int(v: start) then int(v: start) else if recent > latest then latest else recent
`, longFine/time.Hour, (kept.Fine-day)/time.Hour, fine)
}

// read returns the part of the query that reads a bucket and makes windows. In roll-ups
// the mean of a field has its key; other numbers have an ending.
func (s series) read(bucket, start, stop string, rolled bool) string {
	ending := ""
	if rolled && s.fn != "mean" {
		ending = ":" + s.fn
	}
	where := s.measured() + " and " + s.fields(ending)
	if s.where != "" {
		where += " and " + s.where
	}
	return fmt.Sprintf("from(bucket: %s)\n  |> range(start: %s, stop: %s)\n  |> filter(fn: (r) => %s)\n  |> aggregateWindow(every: v.windowPeriod, fn: %s, createEmpty: %t)",
		bucket, start, stop, where, s.fn, s.filled())
}

func (s series) measured() string {
	return "(" + anyOf("_measurement", names(s.of)) + ")"
}

// names returns the names of measurements.
func names(ms []catalogue.Measurement) []string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Name)
	}
	return out
}

// anyOf returns the condition that a column has one of the values.
func anyOf(column string, values []string) string {
	var out []string
	for _, v := range values {
		out = append(out, fmt.Sprintf("r.%s == %q", column, v))
	}
	return strings.Join(out, " or ")
}

// fields returns the condition for the keys, with an ending of roll-ups.
func (s series) fields(ending string) string {
	if len(s.keys) == 0 {
		var declared []string
		for _, f := range s.of[0].Fields {
			declared = append(declared, f.Key)
		}
		return fmt.Sprintf("r._field !~ /:/ and r._field !~ /^(.+_)?%s$/", alternatives(declared))
	}
	if !s.parts() {
		keys := make([]string, len(s.keys))
		for i, k := range s.keys {
			keys[i] = k + ending
		}
		return "(" + anyOf("_field", keys) + ")"
	}
	where := fmt.Sprintf("r._field =~ /^(.+_)?%s%s$/", alternatives(s.keys), ending)
	if longer := s.longer(); len(longer) > 0 {
		where += fmt.Sprintf(" and r._field !~ /^(.+_)?%s%s$/", alternatives(longer), ending)
	}
	return where
}

// parts reports whether keys may begin with the name of a part, as in socket_2_power_watts.
// The open measurements have devices with parts, too.
func (s series) parts() bool {
	return !s.whole && slices.ContainsFunc(s.of, func(m catalogue.Measurement) bool { return m.Parts || m.Open })
}

// longer returns the declared keys that end as one of the keys does: cpu_usage_percent
// is no usage_percent of a part cpu.
func (s series) longer() (out []string) {
	for _, m := range s.of {
		for _, f := range m.Fields {
			ends := slices.ContainsFunc(s.keys, func(k string) bool { return strings.HasSuffix(f.Key, "_"+k) })
			if ends && !slices.Contains(s.keys, f.Key) && !slices.Contains(out, f.Key) {
				out = append(out, f.Key)
			}
		}
	}
	return out
}

// alternatives returns a regular expression for one of the keys.
func alternatives(keys []string) string {
	quoted := make([]string, len(keys))
	for i, k := range keys {
		quoted[i] = regexp.QuoteMeta(k)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "(" + strings.Join(quoted, "|") + ")"
}

// name returns the expression for the name of a series: device, part and, if there are
// several keys, the title of the field.
func (s series) name() string {
	m := s.of[0]
	label := ""
	for i, l := range m.Labels {
		if i > 0 {
			label += ` + " " + `
		}
		label += "r." + l
	}
	switch {
	case len(s.keys) == 0:
		return label + ` + " " + strings.replaceAll(v: r._field, t: "_", u: " ")`
	case s.parts() && len(s.keys) == 1:
		return fmt.Sprintf(`if r._field =~ /^%[1]s(:|$)/ then %[2]s else %[2]s + " " + strings.replaceAll(v: strings.trimSuffix(v: strings.trimSuffix(v: r._field, suffix: %[3]q), suffix: %[4]q), t: "_", u: " ")`,
			regexp.QuoteMeta(s.keys[0]), label, ":"+s.fn, "_"+s.keys[0])
	case len(s.keys) == 1 && label == "":
		return fmt.Sprintf("%q", s.title(s.keys[0]))
	case len(s.keys) == 1:
		return label
	case s.parts():
		return label + ` + " " + ` + s.fieldName(fmt.Sprintf(`strings.replaceAll(v: strings.trimSuffix(v: r._field, suffix: %q), t: "_", u: " ")`, ":"+s.fn))
	case label == "":
		return s.fieldName("r._field")
	default:
		return label + ` + " " + (` + s.fieldName("r._field") + ")"
	}
}

// fieldName returns the expression for the title of a field; that of an unknown one is
// other.
func (s series) fieldName(other string) string {
	var b strings.Builder
	for _, k := range s.keys {
		fmt.Fprintf(&b, `if r._field =~ /^%s(:|$)/ then %q else `, regexp.QuoteMeta(k), s.title(k))
	}
	return "(" + b.String() + other + ")"
}

// title returns the title of a key.
func (s series) title(key string) string {
	for _, m := range s.of {
		if f, ok := m.Field(key); ok {
			return f.Title
		}
	}
	return catalogue.Title(key)
}
