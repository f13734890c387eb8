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
	sample bool // its newest values are invented
}

// refresh reads the lines anew if it is time.
func (l *dayLines) refresh(ctx context.Context, st *store.Store, devices []Device, now time.Time) error {
	if !l.due(devices, now) {
		return nil
	}
	began := time.Now()
	next := dayLines{drawn: map[string]dayLine{}, read: now}
	var failed error
	for name, fields := range fieldsOf(devices) {
		q := lastSteps(name, day, now)
		q.Fields = fields
		series, err := st.Windows(ctx, q)
		if err != nil {
			failed = err // what was drawn stays, and is read again in a while
			continue
		}
		next.add(devices, name, graph{q, series})
	}
	if failed != nil {
		next.drawn = l.drawn
	}
	next.took = time.Since(began)
	*l = next
	return failed
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

// add draws the devices whose main value is found in a measurement.
func (l *dayLines) add(devices []Device, measurement string, g graph) {
	ofDevice := map[string][]store.WindowSeries{}
	for _, s := range g.series {
		id := s.Tags["device"]
		ofDevice[id] = append(ofDevice[id], s)
	}
	for _, d := range devices {
		if !hasLine(d) || !slices.Contains(placesOf(d), measurement) {
			continue
		}
		own := slices.DeleteFunc(ofDevice[d.ID], func(s store.WindowSeries) bool { return s.Field != d.Main.Key })
		if len(own) == 0 && l.drawn[d.ID].key != "" {
			continue
		}
		l.drawn[d.ID] = dayLine{d.Main.Key, line(graph{g.query, own}.buckets(), d.Main.Unit), invented(own)}
	}
}

// invented reports whether the newest of the windows are of sample data.
func invented(series []store.WindowSeries) (yes bool) {
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
	return d.Main != nil && (d.Main.Text == "" || words[d.Main.Key] != [2]string{})
}

// placesOf are the measurements where a device's main value may be.
func placesOf(d Device) (names []string) {
	for _, m := range d.in {
		if _, ok := m.Field(d.Main.Key); ok || m.Open {
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
