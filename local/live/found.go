package live

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/steps"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/source"
)

const (
	maxRows   = 8
	maxFields = 3   // of a reading, in a row
	maxText   = 120 // bytes of a text in a row
)

// found returns what a source decoded: a row for each series and each item.
func found(a source.Answer, redact func(string) string) steps.Result {
	var rows []steps.Row
	seen := map[string]bool{}
	for _, r := range a.Readings {
		if s := r.Series(); !seen[s] {
			seen[s] = true
			rows = append(rows, rowOf(r))
		}
	}
	for _, i := range a.Items {
		rows = append(rows, steps.Row{What: i.Target, Value: i.Title})
	}
	for i := range rows {
		rows[i].What, rows[i].Value = short(redact(rows[i].What)), short(redact(rows[i].Value))
	}
	out := steps.Result{Title: "It works: " + count(len(a.Readings), "reading") + " and " + count(len(a.Items), "item") + ".", Rows: rows, Note: note(a, redact)}
	if len(rows) > maxRows {
		out.Rows, out.More = rows[:maxRows], len(rows)-maxRows
	}
	return out
}

// note names what was not all right.
func note(a source.Answer, redact func(string) string) string {
	warnings := slices.Clone(a.Warnings)
	for i, w := range warnings {
		warnings[i] = redact(w)
	}
	return short(strings.Join(warnings, " · "))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// rowOf names a reading by its measurement and tags, and writes its first fields.
func rowOf(r reading.Reading) steps.Row {
	m, _ := catalogue.Get(r.Name)
	what := cmp.Or(m.Title, r.Name)
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		what += " · " + r.Tags[k]
	}
	var values []string
	for _, f := range m.Fields {
		if v, ok := r.Fields[f.Key]; ok && len(values) < maxFields && f.Show != catalogue.Hidden {
			values = append(values, f.Title+" "+status.Quantity(v, f))
		}
	}
	return steps.Row{What: what, Value: strings.Join(values, ", ")}
}

// short returns a text of an upstream as one line that is not long.
func short(s string) string {
	s = printable.Line(s)
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
