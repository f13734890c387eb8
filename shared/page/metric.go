package page

import (
	"cmp"
	"html/template"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

// Metric is the latest value of one metric of a device.
type Metric struct {
	Key     string    `json:"key"`
	Title   string    `json:"title"`
	Unit    string    `json:"unit,omitempty"`
	Value   float64   `json:"value"`
	Text    string    `json:"text,omitempty"` // shown in place of the number: what it means, or the text that there is
	Time    time.Time `json:"time"`
	Quality string    `json:"quality,omitempty"` // "" is ok
	Reason  string    `json:"reason,omitempty"`
	Warn    bool      `json:"warn,omitempty"` // past the catalogue's threshold

	declared declaration
	number   bool // it has a value that can be drawn
}

// Number writes the value and its unit as markup.
func (m Metric) Number() template.HTML {
	return show(m.Value, m.Unit, m.declared.field.Format())
}

// metric describes the latest value of a metric of a device whose readings may be
// in the first own of the measurements.
func (s spelling) metric(ms []catalogue.Measurement, own int, d store.DeviceState) Metric {
	m := Metric{Key: d.Metric, Value: d.Value, Text: d.Text, Time: d.Time, Reason: d.Reason, number: d.Text == "", declared: find(ms, d.Metric)}
	if m.Time.IsZero() {
		m.Time = d.Arrived
	}
	if d.Quality != string(quality.OK) {
		m.Quality = d.Quality
	}
	f, listed := m.declared.field, m.declared.measurement < own
	m.Title, m.Unit = cmp.Or(f.TitleOf(d.Metric), catalogue.Title(d.Metric)), f.Unit
	if listed {
		m.Warn = m.number && (f.Warn.HasAbove && d.Value > f.Warn.Above || f.Warn.HasBelow && d.Value < f.Warn.Below)
	} else if m.Unit == "" {
		m.Unit = cmp.Or(s.units[d.Device][d.Metric], catalogue.KeyUnit(d.Metric))
		m.declared.field.Unit = m.Unit
	}
	if m.number {
		m.Text = f.Word(d.Value)
	}
	return m
}

// byImportance orders the metrics of a device as the catalogue does. Those that it
// does not list come last, by title.
func byImportance(a, b Metric) int {
	behind := func(m Metric) int {
		if m.declared.field.Show == catalogue.Behind {
			return 1
		}
		return 0
	}
	part := func(m Metric) int { return len(m.Key) - len(m.declared.field.Key) } // the whole before its parts
	d, e := a.declared, b.declared
	order := cmp.Or(behind(a)-behind(b), d.measurement-e.measurement, d.position-e.position)
	if order == 0 && d.field.Key != "" {
		order = min(part(a), 1) - min(part(b), 1)
	}
	return cmp.Or(order, strings.Compare(a.Title, b.Title))
}
