package main_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// view is what a person looks at: a span of time and the chosen values of variables.
type view struct {
	from, to time.Time
	interval time.Duration // of a point, as Grafana makes it from the span and the panel's width
	bucket   string        // the default bucket of the data source
	values   map[string][]string
	multi    map[string]bool // variables of which several values, or all, can be chosen
}

// variable matches what Grafana replaces: $name, ${name:format} and [[name:format]].
var variable = regexp.MustCompile(`\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:^\}]+)?(?::([^\}]+))?\}`)

// variableName returns the name in a match of variable.
func variableName(m []string) string { return m[1] + m[2] + m[4] }

// replace puts the chosen values into a query. plain writes those without a format: it
// depends on the data source. What is no variable stays.
func (v view) replace(s string, plain func(name string, values []string) string) string {
	return variable.ReplaceAllStringFunc(s, func(match string) string {
		m := variable.FindStringSubmatch(match)
		name, format := variableName(m), m[3]+m[5]
		values, ok := v.values[name]
		switch {
		case name == "__from", name == "__to":
			at := map[string]time.Time{"__from": v.from, "__to": v.to}[name]
			return formatDate(at, format)
		case !ok:
			return match
		case format == "":
			return plain(name, values)
		}
		return formatted(format, values)
	})
}

func formatDate(t time.Time, format string) string {
	switch format {
	case "", "date:ms":
		return strconv.FormatInt(t.UnixMilli(), 10)
	case "date:seconds":
		return strconv.FormatInt(t.Unix(), 10)
	default: // date, date:iso
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
}

var regexMeta = regexp.MustCompile(`[\\^$*+?.()|[\]{}/]`)

// formatted writes values as ${name:format} does.
func formatted(format string, values []string) string {
	quoted := func(quote, escaped string) string {
		out := make([]string, len(values))
		for i, s := range values {
			out[i] = quote + strings.ReplaceAll(s, quote, escaped) + quote
		}
		return strings.Join(out, ",")
	}
	switch format {
	case "regex":
		out := make([]string, len(values))
		for i, s := range values {
			out[i] = regexMeta.ReplaceAllString(s, `\$0`)
		}
		if len(out) == 1 {
			return out[0]
		}
		return "(" + strings.Join(out, "|") + ")"
	case "sqlstring":
		return quoted("'", "''")
	case "singlequote":
		return quoted("'", `\'`)
	case "doublequote":
		return quoted(`"`, `\"`)
	case "pipe":
		return strings.Join(values, "|")
	case "csv", "raw", "text":
		return strings.Join(values, ",")
	case "json":
		b, _ := json.Marshal(values)
		return string(b)
	}
	panic("the tests do not know the format " + format)
}

// inFlux is a query of the InfluxDB data source as it sends it.
func (v view) inFlux(query string) string {
	query = v.replace(query, func(_ string, values []string) string {
		if len(values) == 1 {
			return values[0]
		}
		return "{" + strings.Join(values, ",") + "}"
	})
	for _, m := range dotted.FindAllStringSubmatch(query, -1) {
		with, ok := map[string]string{
			"timeRangeStart": v.from.UTC().Format(time.RFC3339Nano), "timeRangeStop": v.to.UTC().Format(time.RFC3339Nano),
			"windowPeriod": v.interval.String(), "defaultBucket": strconv.Quote(v.bucket), "bucket": strconv.Quote(""), "organization": strconv.Quote("home"),
		}[m[2]]
		if ok {
			query = strings.ReplaceAll(query, m[0], with)
		}
	}
	query = strings.ReplaceAll(query, "$__interval_ms", strconv.FormatInt(v.interval.Milliseconds(), 10))
	return strings.ReplaceAll(query, "$__interval", short(v.interval))
}

var dotted = regexp.MustCompile(`([a-zA-Z]+)\.([a-zA-Z]+)`)

// short writes a duration with one unit: 5m, 1h.
func short(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		sign string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= u.of && d%u.of == 0 {
			return strconv.FormatInt(int64(d/u.of), 10) + u.sign
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// inSQL is a query of the PostgreSQL data source as it sends it.
func (v view) inSQL(query string) (string, error) {
	query = v.replace(query, func(name string, values []string) string {
		if v.multi[name] {
			return formatted("sqlstring", values)
		}
		return strings.ReplaceAll(strings.Join(values, ","), "'", "''")
	})
	query = strings.ReplaceAll(query, "$__interval_ms", strconv.FormatInt(v.interval.Milliseconds(), 10))
	query = strings.ReplaceAll(query, "$__interval", short(v.interval))
	query = strings.ReplaceAll(query, "$__unixEpochFrom()", strconv.FormatInt(v.from.Unix(), 10))
	query = strings.ReplaceAll(query, "$__unixEpochTo()", strconv.FormatInt(v.to.Unix(), 10))
	var failed error
	query = macro.ReplaceAllStringFunc(query, func(match string) string {
		m := macro.FindStringSubmatch(match)
		args := strings.Split(m[2], ",")
		for i := range args {
			args[i] = strings.TrimSpace(args[i])
		}
		out, err := v.macro(m[1], args)
		if err != nil {
			failed = err
		}
		return out
	})
	return query, failed
}

var macro = regexp.MustCompile(`\$([_a-zA-Z0-9]+)\(([^\)]*)\)`)

// macro expands a macro of the PostgreSQL data source.
func (v view) macro(name string, args []string) (string, error) {
	from, to := v.from.UTC().Format(time.RFC3339Nano), v.to.UTC().Format(time.RFC3339Nano)
	switch name {
	case "__time":
		return args[0] + ` AS "time"`, nil
	case "__timeEpoch":
		return "extract(epoch from " + args[0] + `) as "time"`, nil
	case "__timeFilter":
		return fmt.Sprintf("%s BETWEEN '%s' AND '%s'", args[0], from, to), nil
	case "__timeFrom":
		return "'" + from + "'", nil
	case "__timeTo":
		return "'" + to + "'", nil
	case "__unixEpochFilter":
		return fmt.Sprintf("%s >= %d AND %s <= %d", args[0], v.from.Unix(), args[0], v.to.Unix()), nil
	case "__timeGroup", "__timeGroupAlias":
		step, err := time.ParseDuration(strings.ReplaceAll(strings.Trim(args[min(1, len(args)-1)], "'"), "d", "h"))
		if err != nil || len(args) < 2 {
			return "", fmt.Errorf("%s(%s): no interval", name, strings.Join(args, ", "))
		}
		if strings.HasSuffix(strings.Trim(args[1], "'"), "d") {
			step *= 24
		}
		out := fmt.Sprintf("floor(extract(epoch from %s)/%v)*%v", args[0], step.Seconds(), step.Seconds())
		if name == "__timeGroupAlias" {
			out += ` AS "time"`
		}
		return out, nil
	}
	return "", fmt.Errorf("PostgreSQL's data source has no macro $%s", name)
}

// The expected texts follow Grafana's documentation of variables, formats and macros.
func TestVariablesAreReplacedAsGrafanaDoes(t *testing.T) {
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	v := view{from: from, to: from.Add(time.Hour), interval: 5 * time.Minute, bucket: "home/autogen",
		values: map[string][]string{"one": {"pdu.a"}, "two": {"pdu-a", "it's"}}, multi: map[string]bool{"two": true}}
	for in, want := range map[string]string{
		`from(bucket: v.defaultBucket) |> range(start: v.timeRangeStart, stop: v.timeRangeStop)`: `from(bucket: "home/autogen") |> range(start: 2026-11-01T00:00:00Z, stop: 2026-11-01T01:00:00Z)`,
		`every: v.windowPeriod, $__interval $__interval_ms`:                                      `every: 5m0s, 5m 300000`,
		`r.device =~ /^${one:regex}$/ or r.device =~ /^${two:regex}$/`:                           `r.device =~ /^pdu\.a$/ or r.device =~ /^(pdu-a|it's)$/`,
		`contains(value: r.device, set: ${two:json})`:                                            `contains(value: r.device, set: ["pdu-a","it's"])`,
		`$one [[one]] $two ${other}`:                                                             `pdu.a pdu.a {pdu-a,it's} ${other}`,
	} {
		if got := v.inFlux(in); got != want {
			t.Errorf("%s:\n%s, want\n%s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`$__timeFilter(at) and x in ($two) and y = '$one'`:  `at BETWEEN '2026-11-01T00:00:00Z' AND '2026-11-01T01:00:00Z' and x in ('pdu-a','it''s') and y = 'pdu.a'`,
		`x in (${two:sqlstring}) and t >= $__timeFrom()`:    `x in ('pdu-a','it''s') and t >= '2026-11-01T00:00:00Z'`,
		`$__timeGroupAlias(at, $__interval), $__time(seen)`: `floor(extract(epoch from at)/300)*300 AS "time", seen AS "time"`,
		`$__timeGroup(at,'1d')`:                             `floor(extract(epoch from at)/86400)*86400`,
	} {
		got, err := v.inSQL(in)
		if got != want || err != nil {
			t.Errorf("%s:\n%s, %v, want\n%s", in, got, err, want)
		}
	}
	if got, err := v.inSQL(`$__timeFiler(at)`); err == nil {
		t.Errorf("a macro that does not exist became %s", got)
	}
}
