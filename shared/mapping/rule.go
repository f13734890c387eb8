package mapping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/topic"
)

// rule is a mapping, ready to be used.
type rule struct {
	source      string // a hash of what is written
	filters     []string
	each        []step // nil: the whole payload
	hasEach     bool
	paths       tree
	slots       int
	whole       bool // a path is $: the payload need not be JSON
	device      string
	deviceSlot  int // -1: the device is no path
	timeSlot    int
	zone        *time.Location
	measurement string
	fields      []mapped
	texts       []textAt
}

type mapped struct {
	slot           int
	key            string
	factor, offset float64
	unit           catalogue.Unit
	words          map[string]float64
	field          *catalogue.Field
}

type textAt struct {
	slot int
	key  string
}

// compile checks an entry and makes a rule of it, nil where it has mistakes.
func (e entry) compile(ms *measurements) *rule {
	r := &rule{source: e.source(), filters: e.Topic, device: e.Device.Device, deviceSlot: -1, timeSlot: -1, zone: e.zone().Location()}
	bad := false
	wrong := func(key string, err error) { bad = e.wrong(key, err) || bad }
	slot := func(key, path string) int {
		steps, err := parsePath(path)
		if err != nil {
			wrong(key, err)
			return 0
		}
		r.whole = r.whole || len(steps) == 0
		r.paths.add(steps, r.slots)
		r.slots++
		return r.slots - 1
	}
	for i, f := range e.Topic {
		wrong(fmt.Sprintf(".topic[%d]", i), topic.Check(f))
	}
	if len(e.Fields)+len(e.Text) == 0 {
		wrong("", errors.New("it maps no fields"))
	}
	if e.Each != "" {
		var err error
		r.each, err = parsePath(e.Each)
		r.hasEach = true
		wrong(".each", err)
	}
	wrong(".device", checkName(e))
	if strings.HasPrefix(r.device, "$") {
		r.deviceSlot = slot(".device", r.device)
	}
	if e.Time.Path != "" {
		r.timeSlot = slot(".time", e.Time.Path)
	}
	for _, key := range slices.Sorted(maps.Keys(e.Fields)) {
		m, err := compileField(e.Fields[key], key)
		wrong(".fields."+key, err)
		m.slot = slot(".fields."+key, e.Fields[key].Path)
		r.fields = append(r.fields, m)
	}
	for _, key := range slices.Sorted(maps.Keys(e.Text)) {
		wrong(".text."+key, checkKey(key))
		r.texts = append(r.texts, textAt{slot(".text."+key, e.Text[key]), key})
	}
	if bad || e.wrong("", ms.declare(e, r)) {
		return nil
	}
	return r
}

// zone is that of a time without one.
func (e entry) zone() settings.Zone { return cmp.Or(e.Time.Zone, e.file.House.Zone) }

// source is a hash of what the entry maps, to compare.
func (e entry) source() string {
	d := *e.Device
	d.Name, d.Room, d.Physical, d.Maintenance = "", "", nil, time.Time{}
	if d.Time.Path != "" {
		d.Time.Zone = e.zone()
	}
	b, _ := json.Marshal(d) // texts and finite numbers
	hash := sha256.Sum256(b)
	return hex.EncodeToString(hash[:8])
}

// checkName refuses a device whose {} no topic can fill.
func checkName(e entry) error {
	name := e.Device.Device
	if strings.HasPrefix(name, "$") || !strings.Contains(name, "{") {
		return nil
	}
	key := "key"
	if e.Each == "" {
		key = "" // there is none
	}
	_, err := filled(name, slices.Repeat([]string{"level"}, 99), key)
	return err
}

// checkKey refuses what cannot be the key of a field.
func checkKey(key string) error {
	switch {
	case key == "" || catalogue.Key(key) != key:
		return fmt.Errorf("the key %q is not made of small letters, digits and underscores", key)
	case key == "time" || key == "device" || key == catalogue.Quality || key == catalogue.Suspect:
		return fmt.Errorf("a field cannot be called %q", key)
	}
	return nil
}

func compileField(f settings.Field, key string) (mapped, error) {
	m := mapped{key: key, factor: 1, offset: f.Offset, words: maps.Clone(switches)}
	if f.Factor != nil {
		m.factor = *f.Factor
	}
	for w, v := range f.Words {
		m.words[strings.ToLower(w)] = v
	}
	var known bool
	if m.unit, known = catalogue.UnitOf(f.Unit); f.Unit != "" && !known && f.Factor == nil {
		return m, fmt.Errorf("the unit %q is unknown: give a factor, and the unit that is kept in the key", f.Unit)
	}
	if known {
		m.key = m.unit.Key(key)
	} else {
		m.unit = catalogue.Unit{Factor: 1, Symbol: f.Unit}
	}
	return m, checkKey(m.key)
}

// measurements gathers what the rules declare beyond the catalogue.
type measurements struct {
	own map[string]*catalogue.Measurement
}

// guesses are where the fields of a mapping without a measurement may belong.
var guesses = catalogue.FromSensors()

// declare finds the rule's measurement and adds the fields that it lacks.
func (ms *measurements) declare(e entry, r *rule) error {
	r.measurement = e.Measurement
	if r.measurement == "" {
		r.measurement = guess(e, r)
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
			known = catalogue.Measurement{Name: r.measurement, About: "Mapped by hearth.yml", Function: "sensors", Labels: []string{"device"},
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
		if err := declareField(m, &r.fields[i], e.Fields); err != nil {
			return err
		}
	}
	for _, t := range r.texts {
		if f, ok := m.Field(t.key); ok && f.Key == t.key {
			return fmt.Errorf("%s of %s is a number elsewhere", t.key, m.Name)
		}
		if !slices.Contains(m.Text, t.key) {
			m.Text = append(m.Text, t.key)
		}
	}
	return nil
}

var air, _ = catalogue.Get("air")

func guess(e entry, r *rule) string {
	for _, name := range guesses {
		m, _ := catalogue.Get(name)
		all := len(r.fields) > 0
		for _, f := range r.fields {
			_, ok := m.Field(f.key)
			all = all && ok
		}
		for k := range e.Text {
			all = all && slices.Contains(m.Text, k)
		}
		if all {
			return name
		}
	}
	return "custom"
}

// declareField gives a mapped field its range and, where it is new, adds it to
// the measurement.
func declareField(m *catalogue.Measurement, at *mapped, fields map[string]settings.Field) error {
	var f settings.Field
	for key, written := range fields { // its key may have got the unit since
		if key == at.key || at.unit.Key(key) == at.key {
			f = written
		}
	}
	if slices.Contains(m.Text, at.key) {
		return fmt.Errorf("%s of %s is a text elsewhere", at.key, m.Name)
	}
	d, known := m.Field(at.key)
	if !known {
		d = catalogue.Field{Key: at.key, Title: f.Title, Unit: at.unit.Symbol, Min: -catalogue.Limits, Max: catalogue.Limits}
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
		return fmt.Errorf("%s: its range is %g to %g", at.key, d.Min, d.Max)
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
	if !known {
		m.Fields = append(m.Fields, d)
	}
	rise := catalogue.RiseKey(d.Key)
	if _, listed := m.Field(rise); d.Counter && !listed {
		m.Fields = append(m.Fields, catalogue.Field{Key: rise, Title: strings.TrimSpace(d.Title + " since the reading before"), Unit: d.Unit, Max: catalogue.Limits})
	}
	return nil
}
