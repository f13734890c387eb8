package mapping

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// measurements gathers the measurements that the rules add or extend.
type measurements struct {
	own map[string]*catalogue.Measurement
}

// declare sets the rule's measurement and adds the fields that the measurement lacks.
func (ms *measurements) declare(e entry, r *rule) error {
	r.measurement = e.Measurement
	if r.measurement == "" {
		r.measurement = guess(r)
	}
	m := ms.own[r.measurement]
	if m == nil {
		known, ok := catalogue.Get(r.measurement)
		switch {
		case ok && (known.Function != "sensors" || !slices.Contains(known.Labels, "device")):
			return fmt.Errorf("the measurement %q belongs to %s", r.measurement, known.Function)
		case !ok && checkKey(r.measurement) != nil:
			return checkKey(r.measurement)
		case !ok:
			known = catalogue.Measurement{Name: r.measurement, About: "Mapped by hearth.yml", Function: "sensors", Devices: []string{"edge", "mapped", "node"}, Labels: []string{"device"},
				Text: []string{catalogue.Suspect}, Cadence: e.Cadence, Keep: catalogue.KeepMonths}
			if f, ok := air.Field(catalogue.Quality); ok {
				known.Fields = append(known.Fields, f)
			}
		}
		known.Fields, known.Text = slices.Clone(known.Fields), slices.Clone(known.Text)
		m = &known
		ms.own[r.measurement] = m
	}
	for i := range r.fields {
		_, known := m.Field(r.fields[i].key)
		if err := declareField(m, &r.fields[i]); err != nil {
			return err
		}
		e.limit(m, &r.fields[i], !known)
	}
	for _, t := range r.texts {
		if f, ok := m.Field(t.key); ok && f.Key == t.key {
			return fmt.Errorf("%s of %s is declared as a number elsewhere", t.key, m.Name)
		}
		if !slices.Contains(m.Text, t.key) {
			m.Text = append(m.Text, t.key)
		}
	}
	return nil
}

// limit gives the limits of a mapped field to its declaration in the measurement, which
// devices share: they hold for the entry's device alone, if it has only one. added says that
// this entry has declared the field.
func (e entry) limit(m *catalogue.Measurement, at *fieldRule, added bool) {
	above, below := at.settings.Above, at.settings.Below
	i := slices.IndexFunc(m.Fields, func(f catalogue.Field) bool { return f.Key == at.key })
	if i < 0 || len(e.Device.Device) != 1 || !isLiteral(e.Device.Device[0]) || above == nil && below == nil {
		return
	}
	f := &m.Fields[i]
	t := catalogue.Threshold{HasAbove: above != nil, HasBelow: below != nil}
	if t.HasAbove == f.Warn.HasAbove && t.HasBelow == f.Warn.HasBelow {
		t = f.Warn // its title, how long, and what to do
	}
	if t.Device = e.Device.Device[0]; above != nil {
		t.Above = *above
	}
	if below != nil {
		t.Below = *below
	}
	if added {
		f.Warn = t
		return
	}
	f.Alerts = append(slices.Clip(f.Alerts), t)
}

// wordsOf returns the texts that stand for numbers of a field. A field with a unit is a
// quantity: no word stands for a number unless its mapping says so.
func wordsOf(own map[string]float64, unit string) map[string]float64 {
	words := map[string]float64{}
	if unit == "" {
		maps.Copy(words, defaultWords)
	}
	for w, v := range own {
		words[strings.ToLower(w)] = v
	}
	return words
}

var air, _ = catalogue.Get("air")

// guess returns the first measurement of the sensors that declares all of the rule's
// fields and texts, else "custom".
func guess(r *rule) string {
	var fields, texts []string
	for _, f := range r.fields {
		fields = append(fields, f.key)
	}
	for _, t := range r.texts {
		texts = append(texts, t.key)
	}
	if name, n := catalogue.Guess(fields, texts); len(fields) > 0 && n == len(fields)+len(texts) {
		return name
	}
	return "custom"
}

// declareField sets the declaration of a mapped field and, if it is new, adds it to
// the measurement.
func declareField(m *catalogue.Measurement, at *fieldRule) error {
	f := at.settings
	if slices.Contains(m.Text, at.key) {
		return fmt.Errorf("%s of %s is declared as a text elsewhere", at.key, m.Name)
	}
	d, known := m.Field(at.key)
	if !known {
		d = catalogue.Field{Key: at.key, Title: cmp.Or(f.Title, catalogue.Title(at.key)), Unit: at.unit.Symbol, Min: -catalogue.Limits, Max: catalogue.Limits}
	}
	if f.Title != "" {
		d.Title = f.Title
	}
	if f.Min != nil {
		d.Min = *f.Min
	}
	if f.Max != nil {
		d.Max = *f.Max
	}
	if d.Max <= d.Min {
		return fmt.Errorf("%s: the range %g to %g is empty", at.key, d.Min, d.Max)
	}
	if f.Step > 0 {
		d.Step = f.Step
	}
	d.Counter = d.Counter || f.Counter
	if f.Above != nil {
		d.Warn.Above, d.Warn.HasAbove = *f.Above, true
	}
	if f.Below != nil {
		d.Warn.Below, d.Warn.HasBelow = *f.Below, true
	}
	at.field = &d
	if at.symbol = cmp.Or(catalogue.KeyUnit(d.Key), d.Unit); at.symbol == "K" && len(f.Difference) > 0 {
		at.symbol = "°C" // what the two are sent in
	}
	at.words = wordsOf(f.Words, at.symbol)
	if !known {
		m.Fields = append(m.Fields, d)
	}
	rise := catalogue.RiseKey(d.Key)
	if _, listed := m.Field(rise); d.Counter && !listed {
		m.Fields = append(m.Fields, catalogue.Field{Key: rise, Title: strings.TrimSpace(d.Title + " since the reading before"), Unit: d.Unit, Max: catalogue.Limits})
	}
	return nil
}
