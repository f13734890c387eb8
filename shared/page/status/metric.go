package status

import (
	"cmp"
	"html/template"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

// Metric is the latest value of one metric of a device that is not suspect.
type Metric struct {
	Key     string    `json:"key"`
	Title   string    `json:"title"`
	Unit    string    `json:"unit,omitempty"`
	Value   *float64  `json:"value"`          // null: it is a text, or there never was a good one
	Text    string    `json:"text,omitempty"` // shown in place of the number: what it means, or the text that there is
	Time    time.Time `json:"time,omitzero"`
	Quality string    `json:"quality,omitempty"` // of the latest value; "" is ok
	Reason  string    `json:"reason,omitempty"`
	Warn    bool      `json:"warn,omitempty"`    // past the catalogue's threshold
	Suspect *Suspect  `json:"suspect,omitempty"` // the latest value, if it is suspect

	declared declaration
	number   bool      // it has a value that can be drawn
	reported time.Time // of the latest value
}

// Suspect is a value out of its range or not plausible. It is shown small, beside the last
// good one.
type Suspect struct {
	Value *float64  `json:"value"`          // null: it is a text
	Text  string    `json:"text,omitempty"` // shown in place of the number
	Time  time.Time `json:"time"`

	unit   string
	format catalogue.Format
}

// Shown is the word, or the value and its unit.
func (s Suspect) Shown() string {
	if s.Value == nil || s.Text != "" {
		return s.Text
	}
	n, sign := quantity(*s.Value, s.unit, s.format)
	return strings.TrimSpace(n + " " + sign)
}

// None reports whether there is nothing to show but a suspect value.
func (m Metric) None() bool { return m.Value == nil && m.Text == "" }

// Number writes the value and its unit as markup.
func (m Metric) Number() template.HTML {
	if m.Value == nil {
		return ""
	}
	return show(*m.Value, m.Unit, m.declared.field.Format())
}

// metric describes the latest value of a metric of a device whose readings may be
// in the first own of the measurements.
func (s spelling) metric(ms []catalogue.Measurement, own int, d store.DeviceState) Metric {
	m := Metric{Key: d.Metric, Time: d.Time, Reason: d.Reason, number: d.Text == "", declared: find(ms, d.Metric)}
	if m.Time.IsZero() {
		m.Time = d.Arrived
	}
	m.reported = m.Time
	if d.Quality != string(quality.OK) {
		m.Quality = d.Quality
	}
	f, listed := m.declared.field, m.declared.measurement < own
	m.Title, m.Unit = cmp.Or(f.TitleOf(d.Metric), catalogue.Title(d.Metric)), f.Unit
	if !listed && m.Unit == "" {
		m.Unit = cmp.Or(s.units[d.Device][d.Metric], catalogue.KeyUnit(d.Metric))
		m.declared.field.Unit = m.Unit
	}
	m.setValue(d)
	if v := m.Value; v != nil {
		m.Text = f.Word(*v)
		w := f.WarnOf(d.Device)
		m.Warn = listed && (w.HasAbove && *v > w.Above || w.HasBelow && *v < w.Below)
	}
	return m
}

// setValue sets the value of a state. Instead of a suspect one it sets the last good one.
func (m *Metric) setValue(d store.DeviceState) {
	f := m.declared.field
	value, text, word := &d.Value, d.Text, f.Word(d.Value)
	if text != "" {
		value, word = nil, text
	}
	if m.Quality != string(quality.Suspect) {
		m.Value, m.Text = value, text
		return
	}
	m.Suspect = &Suspect{Value: value, Text: word, Time: m.reported, unit: m.Unit, format: f.Format()}
	if m.Value, m.Time = nil, (time.Time{}); m.number && d.Good != nil {
		m.Value, m.Time = d.Good, d.GoodTime
	}
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
