package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"fmt"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// measurements returns the catalogue's declarations of these names.
func measurements(names ...string) (out []catalogue.Measurement) {
	for _, n := range names {
		m, ok := catalogue.Get(n)
		if !ok {
			panic("no measurement " + n)
		}
		out = append(out, m)
	}
	return out
}

// field returns the declaration of measurement.key.
func field(name string) (catalogue.Measurement, catalogue.Field) {
	measurement, key, _ := strings.Cut(name, ".")
	m := measurements(measurement)[0]
	f, ok := m.Field(key)
	if !ok {
		panic("no field " + name)
	}
	return m, f
}

// of returns the series of fields, written measurement.key, and the declaration of the
// first, which says how all are shown.
func of(names ...string) (series, catalogue.Field) {
	var s series
	_, first := field(names[0])
	for _, n := range names {
		m, f := field(n)
		if !slices.ContainsFunc(s.of, func(o catalogue.Measurement) bool { return o.Name == m.Name }) {
			s.of = append(s.of, m)
		}
		if !slices.Contains(s.keys, f.Key) {
			s.keys = append(s.keys, f.Key)
		}
	}
	return s, first
}

// shown returns the fields of a measurement that are shown as panels.
func shown(m catalogue.Measurement) (out []catalogue.Field) {
	for _, f := range m.Fields {
		if f.Show != catalogue.Hidden && f.Show != catalogue.Reachable && f.Show != catalogue.Simulated {
			out = append(out, f)
		}
	}
	return out
}

// numbers adds a closed row for a measurement, with a panel for each of its fields.
// Fields with the same words share one.
func (p *page) numbers(m catalogue.Measurement) {
	p.measured = append(p.measured, m.Name)
	p.closed("All numbers of " + m.Title)
	worded := map[string][]catalogue.Field{}
	for _, f := range shown(m) {
		if w := wordsOf(f); w != "" {
			worded[w] = append(worded[w], f)
		}
	}
	for _, f := range shown(m) {
		w := wordsOf(f)
		switch {
		case w == "":
			p.add(8, 7, numberPlot(m, f))
		case worded[w] != nil:
			p.add(24, 7, wordPlot(m, worded[w]))
			delete(worded, w)
		}
	}
	if m.Open {
		p.add(24, 9, plot("Other numbers", "What devices report beyond the fields above, without a unit here: it is in the key", series{of: []catalogue.Measurement{m}, where: chosen}.flux(), catalogue.Field{Title: "Other numbers"}))
	}
}

// wordsOf returns the words of a field, "" if it is shown as a number.
func wordsOf(f catalogue.Field) string {
	if f.Word(0) == "" && f.Word(1) == "" {
		return ""
	}
	return fmt.Sprintf("%s/%s/%d", f.Word(0), f.Word(1), len(f.Words))
}

// numberPlot is the course of a field. Energy since the reading before is added up.
func numberPlot(m catalogue.Measurement, f catalogue.Field) dashboard.Panel {
	s := series{of: []catalogue.Measurement{m}, keys: []string{f.Key}, where: ofDevices(m)}
	title := titleAmong(m, f)
	if rises(m, f) {
		s.fn = "sum"
		return bars(title, m.About, s.flux(), f)
	}
	return plot(title, m.About, s.flux(), f)
}

// titleAmong returns the title of a field, with its unit if another field of the
// measurement has the same one: bytes read, and bytes read a second.
func titleAmong(m catalogue.Measurement, f catalogue.Field) string {
	for _, o := range m.Fields {
		if o.Title == f.Title && o.Key != f.Key {
			return f.Title + ", " + f.Unit
		}
	}
	return f.Title
}

// rises reports whether a field is the rise of a counter since the reading before.
func rises(m catalogue.Measurement, f catalogue.Field) bool {
	return slices.ContainsFunc(m.Fields, func(o catalogue.Field) bool { return o.Counter && catalogue.RiseKey(o.Key) == f.Key })
}

// wordPlot is when fields had which of their words.
func wordPlot(m catalogue.Measurement, fields []catalogue.Field) dashboard.Panel {
	s := series{of: []catalogue.Measurement{m}, fn: "last", where: ofDevices(m)}
	var titles []string
	for _, f := range fields {
		s.keys = append(s.keys, f.Key)
		if !slices.Contains(titles, f.Title) {
			titles = append(titles, f.Title)
		}
	}
	return states(strings.Join(titles, ", "), m.About, s.flux(), fields[0])
}

// ofDevices is the condition for the chosen devices; "" for a measurement that no
// devices report.
func ofDevices(m catalogue.Measurement) string {
	if m.OfDevices() {
		return chosen
	}
	return ""
}
