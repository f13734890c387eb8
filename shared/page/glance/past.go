package glance

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const firstHours = 48 * time.Hour // before that, the readings of devices are rolled up

// states returns the latest values of all devices.
func (w *world) states(ctx context.Context) ([]store.DeviceState, error) {
	if !w.Past {
		return w.st.DeviceStates(ctx, "")
	}
	newest := map[[2]string]store.DeviceState{}
	for _, m := range append(catalogue.All(), w.declared...) {
		if !m.OfDevices() {
			continue
		}
		for _, q := range spans(m.Name, w.Now) {
			series, err := w.st.Windows(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, s := range series {
				note(newest, s)
			}
		}
	}
	out := make([]store.DeviceState, 0, len(newest))
	for _, s := range newest {
		out = append(out, s)
	}
	return out, nil
}

// spans are the queries for the last values before a time: the last hour or two in steps of five
// minutes, and the day before in steps of an hour, which is also the accuracy of their times.
func spans(name string, at time.Time) []store.Query {
	recent := at.Truncate(time.Hour).Add(-time.Hour)
	return []store.Query{
		{Name: name, From: recent.Add(-23 * time.Hour), To: recent, Step: time.Hour, Suspects: true},
		{Name: name, From: recent, To: at.Add(time.Millisecond), Step: 5 * time.Minute, Suspects: true},
	}
}

// watched reports whether hearth watched the house by now: a source had run, or a device had
// reported. What a backfill fetched later does not count.
func (w *world) watched(ctx context.Context) (bool, error) {
	if ran, err := w.st.RanBy(ctx, w.Now); ran || err != nil {
		return ran, err
	}
	rolled, err := w.st.Rolled(ctx)
	if err != nil {
		return false, err
	}
	ofDevices := map[string]bool{}
	for _, m := range append(catalogue.All(), w.declared...) {
		ofDevices[m.Name] = m.OfDevices()
	}
	for name, r := range rolled { // the readings themselves may have expired
		if ofDevices[name] && !r.Since.After(w.Now) {
			return true, nil
		}
	}
	found, err := w.st.Extents(ctx, w.Now.Add(-firstHours), w.Now.Add(time.Millisecond))
	return slices.ContainsFunc(found, func(e store.Extent) bool { return ofDevices[e.Name] }), err
}

// simulated is the state that says whether the latest values of a device are samples.
const simulated = "simulated"

// note keeps the last value of a series of windows if it is newer than the one that is known,
// and whether the newest of its device is a sample. Windows with suspect values are passed over.
func note(newest map[[2]string]store.DeviceState, s store.WindowSeries) {
	n := len(s.Windows) - 1
	for n >= 0 && s.Windows[n].Suspect > 0 {
		n--
	}
	if n < 0 || s.Field == catalogue.Quality {
		return
	}
	last := s.Windows[n]
	keep := func(metric string, value float64) {
		key := [2]string{s.Tags[catalogue.DeviceLabel], metric}
		if known, ok := newest[key]; !ok || !known.Time.After(last.Start) {
			newest[key] = store.DeviceState{Device: key[0], Metric: metric, Value: value, Time: last.Start, Arrived: last.Start, Changed: last.Start, Quality: "ok"}
		}
	}
	keep(s.Field, last.Last)
	sample := 0.0
	if s.Tags[catalogue.SampleLabel] != "" {
		sample = 1
	}
	keep(simulated, sample)
}
