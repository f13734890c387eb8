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

// Report holds the values and texts that one device reported at one moment.
type Report struct {
	Measurement string
	Device      *device.Device
	Values      []device.Value
	Text        map[string]string  // stored with the numbers, and as states
	TextStates  []device.TextState // stored as states alone
	Time        time.Time          // by the source's clock, or the arrival; zero: unknown, then only states are set
	Arrived     time.Time
	Retained    bool
	Replayed    bool            // a dead letter that is replayed
	Quality     quality.Quality // as the source reports it; "" is ok
	Reason      string          // why the quality is not ok, for people
	Simulated   bool            // from a simulated sensor: stored as sample data
}

var errNoNumber = errors.New("there is no number in the message")

// Add adds a report: one Reading, and a state for each of its metrics. i is its index
// in the answer. Add leaves out values that are not numbers or that the catalogue does
// not list. Of a key that comes twice the last value counts. A value outside of its
// range is stored and marked as suspect.
func (b *Batch) Add(i int, r Report) {
	readings, setStates := len(b.readings), b.setStates
	err := b.add(&r)
	b.noteMember(&r)
	b.answer.count(i, len(b.readings) > readings || b.setStates > setStates, err)
}

func (b *Batch) add(r *Report) error {
	if len(r.Values)+len(r.Text)+len(r.TextStates) == 0 {
		return errNoNumber
	}
	added, bad, err := b.checkReport(r)
	if err == nil {
		err = b.CheckCapacity(r.Device, added)
	}
	if err != nil {
		return err
	}
	if r.Quality == "" {
		r.Quality = quality.OK
	}
	out := reading.Reading{Name: r.Measurement, Tags: r.Device.Labels(r.Simulated), Fields: make(map[string]float64, len(r.Values)+2), Text: r.Text, Time: r.Time.UTC()}
	suspects := b.addValues(r, &out)
	for k, text := range r.Text {
		b.addText(r, k, text)
	}
	for _, s := range r.TextStates {
		b.addText(r, s.Key, s.Text)
	}
	if r.Time.IsZero() || len(out.Fields)+len(out.Text) == 0 {
		return bad
	}
	markQuality(&out, r.Quality, suspects)
	b.readings = append(b.readings, out)
	return bad
}

// addValues adds the numbers of a report to its reading, except duplicates. It returns
// the suspect fields, nil if there are none.
func (b *Batch) addValues(r *Report, out *reading.Reading) (suspects *quality.Flagged) {
	for _, v := range r.Values {
		m, verdict, duplicate := b.addValue(r, v)
		if duplicate {
			continue
		}
		out.Fields[v.Key] = v.V
		if verdict.Counted {
			out.Fields[catalogue.RiseKey(v.Key)] = verdict.Rise
		}
		if verdict.Quality != quality.Suspect {
			continue
		}
		if suspects == nil {
			suspects = &quality.Flagged{Name: out.Name, Tags: out.Tags, Time: out.Time}
		}
		suspects.Fields = append(suspects.Fields, v.Key)
		if verdict.Outlier {
			m.AddOutlier(suspects)
		}
	}
	return suspects
}

// addValue judges one number and makes it the metric's state if it is the newest.
// duplicate: the number is the state already, in the same measurement. Two mappings
// may store one topic in two measurements; then each stores the number, and the
// metric has one state.
func (b *Batch) addValue(r *Report, v device.Value) (m *device.Metric, verdict quality.Verdict, duplicate bool) {
	m = b.Metric(r.Device, v.Key)
	last, repeated := m.Measurement, m.Repeats(v.V, r.Time)
	m.Measurement = r.Measurement
	if repeated && (last == "" || last == r.Measurement) {
		return m, verdict, true
	}
	newest := !repeated && m.Newer(r.Time, r.Arrived)
	verdict = b.judge(r, v, m, newest)
	for _, old := range verdict.Confirmed {
		b.confirm(old, v.Key)
	}
	if !newest {
		return m, verdict, false
	}
	if m.State.Value != v.V || m.State.Text != "" || m.State.Changed.IsZero() {
		m.State.Changed = r.timeOrArrival()
	}
	m.State.Value, m.State.Text = v.V, ""
	b.setState(m, r, verdict.Quality, verdict.Reason)
	b.observe(r, &v, m)
	return m, verdict, false
}

// judge returns the quality of a number. What its source reports is final if it is
// worse than ok; otherwise the number is checked against its range, its rate of change
// and the numbers before it.
func (b *Batch) judge(r *Report, v device.Value, m *device.Metric, newest bool) quality.Verdict {
	switch {
	case v.Bad != "":
		return quality.Verdict{Quality: quality.Suspect, Reason: v.Bad}
	case r.Quality != quality.OK && r.Quality != quality.ClockUnsynced:
		return quality.Verdict{Quality: r.Quality, Reason: r.Reason}
	}
	if v.Field == nil && r.Measurement != "" {
		v.Field = b.declaration(r.Measurement).field(v.Key)
	}
	verdict := m.Judge(v.Field, v.V, r.Time, newest)
	if verdict.Quality == quality.OK {
		verdict.Quality, verdict.Reason = r.Quality, r.Reason
	}
	return verdict
}

// timeOrArrival is the time of a report, or its arrival if the time is unknown.
func (r *Report) timeOrArrival() time.Time {
	if r.Time.IsZero() {
		return r.Arrived
	}
	return r.Time
}

// addText makes a text the metric's state if it is the newest. An empty text changes
// nothing.
func (b *Batch) addText(r *Report, key, text string) {
	m := b.Metric(r.Device, key)
	if text == "" || !m.Newer(r.Time, r.Arrived) {
		return
	}
	if m.State.Text != text {
		m.State.Changed = r.timeOrArrival()
	}
	m.State.Text, m.State.Value = text, 0
	b.setState(m, r, r.Quality, r.Reason)
}

// setState sets the rest of a metric's state and marks it to be stored.
func (b *Batch) setState(m *device.Metric, r *Report, q quality.Quality, reason string) {
	m.State.Time, m.State.Arrived, m.State.Retained = r.Time, r.Arrived, r.Retained
	m.State.Quality, m.State.Reason = string(q), reason
	b.Changed(m)
	b.setStates++
}

// confirm removes a field from the suspect ones of a stored reading: later values
// confirmed it. The reading's marks are written again.
func (b *Batch) confirm(old *quality.Flagged, key string) {
	rest := old.Fields[:0]
	for _, f := range old.Fields {
		if f != key {
			rest = append(rest, f)
		}
	}
	old.Fields = rest
	b.rewrites = true
	r := reading.Reading{Name: old.Name, Tags: old.Tags, Time: old.Time,
		Fields: map[string]float64{catalogue.Quality: 0}, Text: map[string]string{catalogue.Suspect: strings.Join(rest, ",")}}
	if len(rest) > 0 {
		r.Fields[catalogue.Quality] = quality.Suspect.Code()
	}
	b.readings = append(b.readings, r)
}

// markQuality adds to a reading its quality, if that is not ok, and the suspect
// fields: "*" if the source reported the whole reading as suspect.
func markQuality(r *reading.Reading, by quality.Quality, suspects *quality.Flagged) {
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

// SetState sets a state that has no readings: the text or, if that is "", the number.
// Its time is the arrival. An older state changes nothing, nor does a new one for which
// the register has no room.
func (b *Batch) SetState(d *device.Device, key, text string, v float64, arrived time.Time, retained bool) {
	if b.CheckCapacity(d, b.countNew(d, key)) != nil {
		return
	}
	r := Report{Device: d, Time: arrived, Arrived: arrived, Retained: retained, Quality: quality.OK}
	if text != "" {
		b.addText(&r, key, text)
		return
	}
	b.addValue(&r, device.Value{Key: key, V: v})
}

// SetTextState sets a text of time t as a metric's state, without a reading. An older
// state changes nothing, nor does a new one for which the register has no room.
func (b *Batch) SetTextState(d *device.Device, key, text string, t, arrived time.Time, retained bool) {
	if b.CheckCapacity(d, b.countNew(d, key)) != nil {
		return
	}
	b.addText(&Report{Device: d, Time: t, Arrived: arrived, Retained: retained, Quality: quality.OK}, key, text)
}
