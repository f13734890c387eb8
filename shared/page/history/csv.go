package history

import (
	"bytes"
	"context"
	"encoding/csv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/quality"
)

const maxRows = 100_000 // readings of a series in a CSV: one a second, of the longest span that has readings

// column is a column of a CSV and its values, by time in nanoseconds.
type column struct {
	title  string
	values map[int64]float64
}

// CSV writes a request's history as a table of a time and a column per series. Of a span up to
// a day it has every reading; of a longer one each window has a mean, a minimum and a maximum.
// Suspect values, or of a longer span their number, have a column of their own.
func (in Inputs) CSV(ctx context.Context, r Request) (table []byte, name string, err error) {
	a, err := in.Read(ctx, r)
	if err != nil {
		return nil, "", err
	}
	r.from, r.to = a.From, a.To
	var columns []column
	if a.To.Sub(a.From) <= maxRaw {
		columns, err = in.raw(ctx, r, a)
	} else {
		columns = windowColumns(a)
	}
	if err != nil {
		return nil, "", err
	}
	return in.write(a, columns), fileName(a), nil
}

func windowColumns(a Answer) (out []column) {
	for _, l := range a.Series {
		mean, low, high := newColumn(l, "", l.Unit), newColumn(l, " min", l.Unit), newColumn(l, " max", l.Unit)
		for _, p := range l.Points {
			if at := time.Unix(p.start, 0).UnixNano(); p.count > 0 {
				mean.values[at], low.values[at], high.values[at] = p.mean, p.low, p.high
			}
		}
		out = append(out, mean, low, high)
		if len(l.suspect) > 0 {
			suspect := newColumn(l, " suspect values", "")
			suspect.values = l.suspect
			out = append(out, suspect)
		}
	}
	return out
}

func newColumn(l Line, suffix, unit string) column {
	title := l.Title + suffix
	if unit != "" {
		title += " (" + unit + ")"
	}
	return column{safe(title), map[int64]float64{}}
}

// safe keeps a spreadsheet from reading text as a formula.
// https://owasp.org/www-community/attacks/CSV_Injection
func safe(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
	if strings.HasPrefix(strings.TrimSpace(text), "'") || strings.ContainsAny(firstOf(strings.TrimSpace(text)), "=+-@＝＋－＠") {
		return "'" + text
	}
	return text
}

func firstOf(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// raw reads the readings of an answer's series.
func (in Inputs) raw(ctx context.Context, r Request, a Answer) ([]column, error) {
	st, err := in.Open(ctx)
	if err != nil {
		return nil, err
	}
	own := r
	own.Series = nil
	for _, l := range a.Series {
		s, _ := parseKey(l.Key) // Key wrote it
		own.Series = append(own.Series, s)
	}
	asked, err := in.lookups(ctx, st, own)
	if err != nil {
		return nil, err
	}
	var out []column
	for i, l := range asked { // one after the other, since the readings of a day may be many
		found, err := st.BetweenAtMost(ctx, maxRows, l.Measurement, l.Tags, r.from, r.to)
		if err != nil {
			return nil, err
		}
		good, suspect := newColumn(a.Series[i], "", a.Series[i].Unit), newColumn(a.Series[i], " suspect", a.Series[i].Unit)
		unit := in.unit(l)
		for _, rd := range found {
			if v, ok := rd.Fields[l.Field]; ok && maps.Equal(rd.Tags, l.Tags) {
				to := good
				if quality.IsSuspect(rd, l.Field) {
					to = suspect
				}
				to.values[rd.Time.UnixNano()] = unit.Shown(v)
			}
		}
		if out = append(out, good); len(suspect.values) > 0 {
			out = append(out, suspect)
		}
	}
	return out, nil
}

// write writes the table. Times are in the zone of the house; those of days in UTC.
func (in Inputs) write(a Answer, columns []column) []byte {
	times := map[int64]bool{}
	head := []string{"time"}
	for _, c := range columns {
		head = append(head, in.Redact(c.title))
		for at := range c.values {
			times[at] = true
		}
	}
	zone := in.zone()
	if slices.ContainsFunc(a.Series, func(l Line) bool { return l.Day }) {
		zone = time.UTC
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true // RFC 4180
	w.Write(head)
	for _, at := range slices.Sorted(maps.Keys(times)) {
		row := []string{time.Unix(0, at).In(zone).Format(time.RFC3339Nano)}
		for _, c := range columns {
			v, ok := c.values[at]
			row = append(row, map[bool]string{true: number(v)}[ok])
		}
		w.Write(row)
	}
	w.Flush()
	return b.Bytes()
}
