package ingest

import (
	"errors"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/reading"
)

// Report is what a device said at one moment.
type Report struct {
	Measurement string
	Thing       *device.Thing
	Values      []device.Value
	Text        map[string]string // kept with the numbers
	Notes       []device.Note     // kept as states alone
	Time        time.Time         // the source's clock, or arrival; zero: it is old, and only the state is of interest
	Arrived     time.Time
	Retained    bool
	Quality     quality.Quality // by the source; "" is ok
	Reason      string
	Simulated   bool // by a simulated sensor: kept as sample data
}

var errNothing = errors.New("there is no number in it")

// Add takes a report in: a Reading, and the states of its metrics. i is its index
// in the answer. A value that is no number, or that the catalogue does not list,
// is left out; of a key that comes twice the last counts. A value outside of its
// range is stored as suspect.
func (b *Batch) Add(i int, r Report) {
	readings, changes := len(b.readings), b.changes
	err := b.add(&r)
	b.answer.count(i, len(b.readings) > readings || b.changes > changes, err)
}

func (b *Batch) add(r *Report) error {
	if len(r.Values)+len(r.Text)+len(r.Notes) == 0 {
		return errNothing
	}
	fresh, bad, err := b.check(r)
	if err == nil {
		err = b.Room(r.Thing, fresh)
	}
	if err != nil {
		return err
	}
	if r.Quality == "" {
		r.Quality = quality.OK
	}
	out := reading.Reading{Name: r.Measurement, Tags: r.Thing.Labels(r.Simulated), Fields: make(map[string]float64, len(r.Values)+2), Text: r.Text, Time: r.Time.UTC()}
	suspects := b.values(r, &out)
	for k, text := range r.Text {
		b.text(r, k, text)
	}
	for _, n := range r.Notes {
		b.text(r, n.Key, n.Text)
	}
	if r.Time.IsZero() || len(out.Fields)+len(out.Text) == 0 {
		return bad
	}
	flag(&out, r.Quality, suspects)
	b.readings = append(b.readings, out)
	return bad
}

// values takes the numbers of a report into its reading, and returns those that are
// suspect, nil if none is. What is known already is left out.
func (b *Batch) values(r *Report, out *reading.Reading) (suspects *quality.Flagged) {
	for _, v := range r.Values {
		m, got, known := b.value(r, v)
		if known {
			continue
		}
		out.Fields[v.Key] = v.V
		if got.Counted {
			out.Fields[catalogue.RiseKey(v.Key)] = got.Rise
		}
		if got.Quality != quality.Suspect {
			continue
		}
		if suspects == nil {
			suspects = &quality.Flagged{Name: out.Name, Tags: out.Tags, Time: out.Time}
		}
		suspects.Fields = append(suspects.Fields, v.Key)
		if got.Outlier {
			m.Pend(suspects)
		}
	}
	return suspects
}

// value judges one number and makes it the metric's state if it is the newest.
// known reports that it is what the state is already, in the same measurement: two
// rules may map one topic to two.
func (b *Batch) value(r *Report, v device.Value) (m *device.Metric, got quality.Verdict, known bool) {
	m = b.Metric(r.Thing, v.Key)
	before, said := m.Listed, m.Says(v.V, r.Time)
	m.Listed = r.Measurement
	if said && (before == "" || before == r.Measurement) {
		return m, got, true
	}
	newest := !said && m.Newer(r.Time, r.Arrived)
	if v.Field == nil && r.Measurement != "" {
		v.Field = b.listing(r.Measurement).field(v.Key)
	}
	got = quality.Verdict{Quality: r.Quality, Reason: r.Reason}
	switch {
	case v.Bad != "":
		got = quality.Verdict{Quality: quality.Suspect, Reason: v.Bad}
	case r.Quality == quality.OK || r.Quality == quality.ClockUnsynced:
		if got = m.Judge(v.Field, v.V, r.Time, newest); got.Quality == quality.OK {
			got.Quality, got.Reason = r.Quality, r.Reason
		}
	}
	for _, old := range got.Confirmed {
		b.confirm(old, v.Key)
	}
	if !newest {
		return m, got, false
	}
	if m.State.Value != v.V || m.State.Text != "" || m.State.Changed.IsZero() {
		m.State.Changed = r.when()
	}
	m.State.Value, m.State.Text = v.V, ""
	b.touch(m, r, got.Quality, got.Reason)
	return m, got, false
}

// when is the time of a report, or its arrival.
func (r *Report) when() time.Time {
	if r.Time.IsZero() {
		return r.Arrived
	}
	return r.Time
}

// text makes a text the metric's state if it is the newest.
func (b *Batch) text(r *Report, key, text string) {
	m := b.Metric(r.Thing, key)
	if text == "" || !m.Newer(r.Time, r.Arrived) {
		return
	}
	if m.State.Text != text {
		m.State.Changed = r.when()
	}
	m.State.Text, m.State.Value = text, 0
	b.touch(m, r, r.Quality, r.Reason)
}

func (b *Batch) touch(m *device.Metric, r *Report, q quality.Quality, reason string) {
	m.State.Time, m.State.Arrived, m.State.Retained = r.Time, r.Arrived, r.Retained
	m.State.Quality, m.State.Reason = string(q), reason
	b.Changed(m)
	b.changes++
}

// confirm takes a field off the suspects of a stored reading: a step to its value
// is believed now.
func (b *Batch) confirm(old *quality.Flagged, key string) {
	rest := old.Fields[:0]
	for _, f := range old.Fields {
		if f != key {
			rest = append(rest, f)
		}
	}
	old.Fields = rest
	b.confirms = true
	r := reading.Reading{Name: old.Name, Tags: old.Tags, Time: old.Time,
		Fields: map[string]float64{catalogue.Quality: 0}, Text: map[string]string{catalogue.Suspect: strings.Join(rest, ",")}}
	if len(rest) > 0 {
		r.Fields[catalogue.Quality] = quality.Suspect.Code()
	}
	b.readings = append(b.readings, r)
}

// flag marks a reading with its quality and the fields that are suspect: "*" if
// its source doubts all of them.
func flag(r *reading.Reading, by quality.Quality, suspects *quality.Flagged) {
	q := by
	if suspects != nil {
		q = quality.Suspect
	}
	if q == quality.OK {
		return
	}
	r.Fields[catalogue.Quality] = q.Code()
	if q != quality.Suspect {
		return
	}
	text := make(map[string]string, len(r.Text)+1)
	for k, v := range r.Text {
		text[k] = v
	}
	if text[catalogue.Suspect] = "*"; by != quality.Suspect {
		text[catalogue.Suspect] = strings.Join(suspects.Fields, ",")
	}
	r.Text = text
}

// SetState makes a text or, if that is "", a number the state of a metric that
// has no readings.
func (b *Batch) SetState(t *device.Thing, key, text string, v float64, arrived time.Time, retained bool) {
	r := Report{Thing: t, Time: arrived, Arrived: arrived, Retained: retained, Quality: quality.OK}
	if text != "" {
		b.text(&r, key, text)
		return
	}
	b.value(&r, device.Value{Key: key, V: v})
}

// SetNote makes a text that was said at t the state of a metric.
func (b *Batch) SetNote(thing *device.Thing, key, text string, t, arrived time.Time, retained bool) {
	b.text(&Report{Thing: thing, Time: t, Arrived: arrived, Retained: retained, Quality: quality.OK}, key, text)
}
