package function

import (
	"bytes"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/wire"
)

// firstSet is the earliest time that a clock can have which was ever set. Others begin at
// 1970, 1980, 2000, 2010 or 2015.
var firstSet = time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)

// setTime sets the time of a report to that of the device's clock; without one, or if the
// clock is wrong, to the arrival. A retained message is older than its arrival.
func (d *report) setTime(at mapping.Moment, m *wire.Message) {
	t := at.Nearest(m.Time)
	var wrong string
	switch {
	case t.IsZero():
	case t.Before(firstSet):
		wrong = "the clock is not set, it says "
	case catalogue.CheckTime(t, m.Time) != nil:
		wrong = "the clock or its zone is wrong, it says "
	default:
		d.time = t
		if pause := at.Time.Sub(at.Earlier); at.Twice && m.Time.Sub(at.Time) > pause/2 {
			d.earlier = at.Earlier
		}
		return
	}
	if !m.Retained {
		d.time = m.Time
	}
	if wrong != "" && (d.quality == quality.OK || d.quality == "") {
		d.quality, d.reason = quality.ClockUnsynced, wrong+t.Format(time.RFC3339)
	}
}

// firstOfTwo reports whether the report i, which came long after its local time, is of
// the first of the two hours in which clocks show this time: if the device's last values
// are from the day before it, or a later message of the batch goes back in time. So
// messages that a device kept get two hours, in the order in which they come.
func (w *work) firstOfTwo(b *ingest.Batch, of *device.Device, i int) bool {
	const near = 24 * time.Hour
	d := &w.reports[i]
	last, repeated := time.Time{}, true
	for _, v := range w.values[d.from:d.to] {
		state, known := b.State(of, v.Key)
		repeated = repeated && known && state.Value == v.V
		if state.Time.After(last) {
			last = state.Time
		}
	}
	switch age := d.earlier.Sub(last); {
	case age == 0:
		return repeated // it is delivered once more
	case age > near, last.After(d.time): // the values before it are not known
		return w.goesBack(i)
	default:
		return age > 0
	}
}

// goesBack reports whether a later report of the batch has the same metric of the device,
// at the same or an earlier local time in the hour that comes twice.
func (w *work) goesBack(i int) bool {
	d := &w.reports[i]
	for j := i + 1; j < len(w.reports); j++ {
		next := &w.reports[j]
		if !next.earlier.IsZero() && !next.time.After(d.time) && bytes.Equal(next.physical, d.physical) && w.shareKey(d, next) {
			return true
		}
	}
	return false
}

// shareKey reports whether two reports have a value of the same key.
func (w *work) shareKey(a, b *report) bool {
	return slices.ContainsFunc(w.values[a.from:a.to], func(v device.Value) bool {
		return slices.ContainsFunc(w.values[b.from:b.to], func(other device.Value) bool { return other.Key == v.Key })
	})
}
