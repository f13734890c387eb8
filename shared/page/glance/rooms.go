package glance

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxRooms    = 9
	roomSilent  = 7 * 24 * time.Hour // a room of which nothing newer is known is left out
	curveSpan   = 24 * time.Hour
	curveStep   = 30 * time.Minute
	dampPercent = 70 // from here on the humidity is called damp
)

func rooms(ctx context.Context, w *world) (*Tile, error) {
	devices, err := w.devices(ctx)
	if err != nil {
		return nil, err
	}
	found := w.roomsOf(devices)
	if len(found) == 0 {
		return nil, nil
	}
	t := &Tile{Sample: true, Stale: shortestPause}
	mains := make([]measured, len(found))
	for i, r := range found {
		mains[i] = r.main()
		t.Plots = append(t.Plots, r.plot(mains[i]))
		for _, m := range r.values {
			t.Sample = t.Sample && m.device.Sample
			if m.at.After(t.At) {
				t.At = m.at
			}
			t.Stale = max(t.Stale, w.fresh(m.device, m.in))
		}
	}
	curves, err := w.roomCurves(ctx, mains)
	cells := make([]roomCell, len(found))
	for i, r := range found {
		cells[i] = w.drawRoom(r, mains[i], curves[i])
	}
	t.Body = draw("rooms", cells)
	return t, err
}

// room is a room and what is measured in it: temperature, humidity, air, in this order.
type room struct {
	name   string
	values []measured
	open   []device // windows and doors that are open
}

// main is the value that is large: the temperature, or else the air, or else the humidity.
func (r room) main() measured {
	i := slices.IndexFunc(r.values, func(m measured) bool { return m.title != humidity.title })
	return r.values[max(i, 0)]
}

// plot returns the history of a value.
func (r room) plot(m measured) history.Series {
	return history.Series{Measurement: m.in.Name, Field: m.metric, Tags: map[string]string{catalogue.DeviceLabel: m.device.ID}, Title: r.name + ", " + m.title}
}

// roomsOf returns the rooms in their order: that of hearth.yml, or else those with the most
// values first.
func (w *world) roomsOf(devices []device) []room {
	byRoom := map[string][]device{}
	for _, d := range devices {
		if rules.InRoom(d.ID, d.Name, d.Place) {
			name := cmp.Or(d.Place, d.Title)
			byRoom[name] = append(byRoom[name], d)
		}
	}
	var out []room
	wanted := w.rooms
	place := func(r room) int {
		return slices.IndexFunc(wanted, func(name string) bool { return strings.EqualFold(name, r.name) })
	}
	for name, ds := range byRoom {
		if r := w.roomOf(name, ds); len(r.values) > 0 && (len(wanted) == 0 || place(r) >= 0) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b room) int {
		if len(wanted) > 0 {
			return place(a) - place(b)
		}
		return cmp.Or(len(b.values)-len(a.values), strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)))
	})
	return out[:min(len(out), maxRooms)]
}

// roomOf returns what is measured in a room.
func (w *world) roomOf(name string, ds []device) room {
	r := room{name: name}
	for _, q := range []roomQuantity{warmth, humidity} {
		if m, ok := w.best(q, ds); ok {
			r.values = append(r.values, m)
		}
	}
	for _, q := range airs {
		if m, ok := w.best(q, ds); ok {
			r.values = append(r.values, m)
			break
		}
	}
	for _, d := range ds {
		if s, ok := d.Values["contact"]; ok && s.Text == "" && s.Value == 0 && !d.Away {
			r.open = append(r.open, d)
		}
	}
	return r
}

// roomCurves returns the last day of values, each as points by unix time.
func (w *world) roomCurves(ctx context.Context, ms []measured) ([][]point, error) {
	fields := map[string][]string{}
	for _, m := range ms {
		if !slices.Contains(fields[m.in.Name], m.metric) {
			fields[m.in.Name] = append(fields[m.in.Name], m.metric)
		}
	}
	out := make([][]point, len(ms))
	for name, keys := range fields {
		to := w.Now.Truncate(curveStep).Add(curveStep)
		q := store.Query{Name: name, Fields: keys, From: to.Add(-curveSpan), To: to, Step: curveStep, Suspects: true}
		series, err := w.windows(ctx, q)
		if err != nil {
			return out, err
		}
		for i, m := range ms {
			if m.in.Name == name {
				out[i] = roomCurve(series, m.device.ID, m.metric, q, w.fresh(m.device, m.in))
			}
		}
	}
	return out, nil
}

// deviceWindows returns the windows of a device's field, of the series that has the latest value.
func deviceWindows(all []store.WindowSeries, id, field string) (ws []store.Window) {
	for _, s := range all {
		if n := len(s.Windows); s.Tags[catalogue.DeviceLabel] == id && s.Field == field && n > 0 && (len(ws) == 0 || s.Windows[n-1].Start.After(ws[len(ws)-1].Start)) {
			ws = s.Windows
		}
	}
	return ws
}

// roomCurve returns the points of a device's field. Where more than pause is without values
// there is a gap.
func roomCurve(all []store.WindowSeries, id, field string, q store.Query, pause time.Duration) []point {
	out := []point{gapAt(q.From)}
	last := q.From
	for _, win := range deviceWindows(all, id, field) {
		if win.Suspect > 0 {
			continue
		}
		if win.Start.Sub(last) > pause+q.Step {
			out = append(out, gapAt(last))
		}
		last = win.Start
		out = append(out, point{float64(win.Start.Unix()), win.Mean})
	}
	return append(out, gapAt(q.To.Add(-q.Step)))
}

// roomCell is what the markup reads.
type roomCell struct {
	Name         string
	Keys, Labels string
	Main         template.HTML // large
	MainClass    string
	MainAge      template.HTML // of an old value
	Silent       template.HTML // since when, if all values are old
	Air, Wet     roomFact
	Open         string // "window open"
	OpenClass    string
	Curve        template.HTML
}

// roomFact is a small value of a room.
type roomFact struct {
	Text  template.HTML
	Class string // of a chip: calm, mid, bad; "": no chip
	Word  string // "damp"
	Age   template.HTML
}
