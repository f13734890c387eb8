package status

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	redrawAfter = time.Minute      // lines are read again after this time; one step of a line is 15 minutes
	joinAfter   = 15 * time.Second // the same where a device or its headline is new
	share       = 100              // reading takes at most one 100th of the time
)

// dayLines are graphs of the last day, one for the headline of each device.
type dayLines struct {
	drawn map[string]dayLine // by device
	read  time.Time
	took  time.Duration // how long reading them took
}

type dayLine struct {
	key    string
	spark  Spark
	sample bool          // its latest values are simulated
	pause  time.Duration // usual between two reports of the device; 0: not known
}

// refresh reads the lines again if it is time.
func (l *dayLines) refresh(ctx context.Context, st *store.Store, devices []Device, now time.Time) error {
	if !l.due(devices, now) {
		return nil
	}
	began := time.Now()
	drawn, err := drawAll(ctx, st, devices, now)
	if err != nil {
		drawn = l.drawn // the lines stay as they were
	}
	*l = dayLines{drawn: drawn, read: now, took: time.Since(began)}
	return err
}

// drawAll draws the lines of all devices that have one.
func drawAll(ctx context.Context, st *store.Store, devices []Device, now time.Time) (map[string]dayLine, error) {
	graphs, err := readGraphs(ctx, st, fieldsOf(devices), now)
	drawn := map[string]dayLine{}
	for _, d := range devices {
		if err == nil && hasLine(d) {
			drawn[d.ID], err = draw(ctx, st, d, graphs)
		}
	}
	return drawn, err
}

// readGraphs reads the last day of fields. It takes the keys by measurement and returns
// the graphs by measurement and device.
func readGraphs(ctx context.Context, st *store.Store, fields map[string][]string, now time.Time) (map[string]map[string]graph, error) {
	out := map[string]map[string]graph{}
	for name, keys := range fields {
		q := lastSteps(name, day, now)
		q.Fields = append(slices.Clone(keys), catalogue.Quality)
		series, err := st.Windows(ctx, q)
		if err != nil {
			return nil, err
		}
		out[name] = map[string]graph{}
		for _, s := range series {
			id := s.Tags[catalogue.DeviceLabel]
			out[name][id] = graph{q, append(out[name][id].series, s)}
		}
	}
	return out, nil
}

// draw draws the headline of a device, from the first measurement that has readings
// of it.
func draw(ctx context.Context, st *store.Store, d Device, graphs map[string]map[string]graph) (dayLine, error) {
	for _, m := range measurementsOf(d) {
		all := graphs[m.Name][d.ID]
		g := all.of(d.Main.Key)
		if len(g.series) == 0 {
			continue
		}
		buckets, err := withoutSuspects(ctx, st, d, g, all.of(catalogue.Quality))
		return dayLine{d.Main.Key, line(buckets, d.Main.Unit, d.Main.declared.field.Format()), isSample(g.series), usualPause(m, g, d.Time)}, err
	}
	return dayLine{key: d.Main.Key}, nil
}

// due reports whether the lines are to be read.
func (l *dayLines) due(devices []Device, now time.Time) bool {
	age := now.Sub(l.read)
	if age >= max(redrawAfter, share*l.took) || age < 0 {
		return len(devices) > 0
	}
	return age >= max(joinAfter, share*l.took) && slices.ContainsFunc(devices, func(d Device) bool {
		return hasLine(d) && l.drawn[d.ID].key != d.Main.Key
	})
}

// isSample reports whether the latest windows hold sample data only.
func isSample(series []store.WindowSeries) (yes bool) {
	var newest time.Time
	for _, s := range series {
		at := s.Windows[len(s.Windows)-1].Start
		sample := s.Tags[catalogue.SampleLabel] != ""
		if at.After(newest) || at.Equal(newest) && !sample {
			newest, yes = at, sample
		}
	}
	return yes
}

// show sets the line of each device, and marks the device if the line ends in sample
// data or if the device is silent for longer than its usual pauses explain.
func (l *dayLines) show(devices []Device, now time.Time) {
	for i, d := range devices {
		if drawn := l.drawn[d.ID]; hasLine(d) && drawn.key == d.Main.Key {
			devices[i].Spark, devices[i].Sample = drawn.spark, d.Sample || drawn.sample
			if d.State == "" && now.Sub(d.Time) > quietOf(d.Kind, drawn.pause) {
				devices[i].State = silent
			}
		}
	}
}

// hasLine reports whether the headline of a device is a number that can be drawn.
func hasLine(d Device) bool {
	return d.Main != nil && d.Main.number
}

// measurementsOf returns the measurements that may hold the headline of a device.
func measurementsOf(d Device) (ms []catalogue.Measurement) {
	for _, m := range d.in {
		if _, ok := m.Position(d.Main.Key); ok || m.Open {
			ms = append(ms, m)
		}
	}
	return ms
}

// fieldsOf returns the keys of all headlines by the measurements that may hold them.
func fieldsOf(devices []Device) map[string][]string {
	out := map[string][]string{}
	for _, d := range devices {
		if !hasLine(d) {
			continue
		}
		for _, m := range measurementsOf(d) {
			if !slices.Contains(out[m.Name], d.Main.Key) {
				out[m.Name] = append(out[m.Name], d.Main.Key)
			}
		}
	}
	return out
}
