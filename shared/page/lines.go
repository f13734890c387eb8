package page

import (
	"context"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	redraw = time.Minute      // after lines were read: a step of theirs is a quarter of an hour
	join   = 15 * time.Second // after which one is drawn whose device or main value is new
	share  = 100              // of the time, at most, goes into reading them
)

// dayLines are the last day of each device's main value.
type dayLines struct {
	drawn map[string]dayLine // by device
	read  time.Time
	took  time.Duration // the reading
}

type dayLine struct {
	key    string
	spark  Spark
	sample bool // its newest values are sample data
}

// refresh reads the lines anew if it is time.
func (l *dayLines) refresh(ctx context.Context, st *store.Store, devices []Device, now time.Time) error {
	if !l.due(devices, now) {
		return nil
	}
	began := time.Now()
	graphs, err := readGraphs(ctx, st, fieldsOf(devices), now)
	next := dayLines{drawn: l.drawn, read: now, took: time.Since(began)}
	if err == nil { // else what was drawn stays for a while
		next.drawn = map[string]dayLine{}
		for _, d := range devices {
			if hasLine(d) {
				next.drawn[d.ID] = draw(d, graphs)
			}
		}
	}
	*l = next
	return err
}

// readGraphs reads the last day of fields by measurement and device.
func readGraphs(ctx context.Context, st *store.Store, fields map[string][]string, now time.Time) (map[string]map[string]graph, error) {
	out := map[string]map[string]graph{}
	for name, keys := range fields {
		q := lastSteps(name, day, now)
		q.Fields = keys
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

// draw draws a device's main value from the first measurement that has it.
func draw(d Device, graphs map[string]map[string]graph) dayLine {
	for _, name := range placesOf(d) {
		if g := graphs[name][d.ID].of(d.Main.Key); len(g.series) > 0 {
			return dayLine{d.Main.Key, line(g.buckets(), d.Main.Unit, d.Main.declared.field.FormatOf()), isSample(g.series)}
		}
	}
	return dayLine{key: d.Main.Key}
}

func (l *dayLines) due(devices []Device, now time.Time) bool {
	age := now.Sub(l.read)
	if age >= max(redraw, share*l.took) || age < 0 {
		return len(devices) > 0
	}
	return age >= max(join, share*l.took) && slices.ContainsFunc(devices, func(d Device) bool {
		return hasLine(d) && l.drawn[d.ID].key != d.Main.Key
	})
}

// isSample reports whether the newest of the windows are of sample data.
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

// show gives the devices their lines.
func (l *dayLines) show(devices []Device) {
	for i, d := range devices {
		if drawn := l.drawn[d.ID]; hasLine(d) && drawn.key == d.Main.Key {
			devices[i].Spark, devices[i].Sample = drawn.spark, d.Sample || drawn.sample
		}
	}
}

// hasLine reports whether a device's main value is a number to draw.
func hasLine(d Device) bool {
	return d.Main != nil && d.Main.number
}

// placesOf are the measurements where a device's main value may be.
func placesOf(d Device) (names []string) {
	for _, m := range d.in {
		if _, ok := m.Position(d.Main.Key); ok || m.Open {
			names = append(names, m.Name)
		}
	}
	return names
}

// fieldsOf are the main values by the measurements where they may be.
func fieldsOf(devices []Device) map[string][]string {
	out := map[string][]string{}
	for _, d := range devices {
		if !hasLine(d) {
			continue
		}
		for _, name := range placesOf(d) {
			if !slices.Contains(out[name], d.Main.Key) {
				out[name] = append(out[name], d.Main.Key)
			}
		}
	}
	return out
}
