package function

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/deadline"
	"github.com/hearth-home/hearth/shared/energy"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	awayAt    = "09:00"       // of the message while the house is empty, without good_morning
	greetLate = 3 * time.Hour // how late the message is still sent
	maxTasks  = 500
)

// greet queues the message in the morning at its time, once a day: about the day, or, while
// the house is empty, one line about the house.
func (t *tick) greet(ctx context.Context) error {
	if t.file.GoodMorning == "" && !t.house.Away {
		return nil
	}
	local := t.now.In(t.zone())
	date := local.Format(time.DateOnly)
	ofDay := deadline.TimeOfDay(settings.Clock(cmp.Or(string(t.file.GoodMorning), awayAt)))
	due := time.Date(local.Year(), local.Month(), local.Day(), 0, int(ofDay/time.Minute), 0, 0, t.zone())
	t.memory.Lock()
	done := t.memory.greeted == date
	t.memory.Unlock()
	if done || t.now.Before(due) || t.now.Sub(due) >= greetLate {
		return nil
	}
	g := &gatherer{tick: t, midnight: begin(local)}
	m, err := g.gather(ctx)
	if err == nil && m.IsEmpty() {
		g.sample = true // make up without keys: what it shows never leaves the machine
		m, err = g.gather(ctx)
		g.sample = g.sample && !m.IsEmpty()
	}
	text := m.Text(t.house, t.now)
	if t.house.Away {
		text = m.Away(t.house, t.now)
	}
	if err := t.queue(ctx, t.house.News("good-morning/"+date, alert.Products, text, g.sample, t.now)); err != nil {
		return err
	}
	t.memory.Lock()
	t.memory.greeted = date
	t.memory.Unlock()
	return err // of a part that is left out
}

func (t *tick) zone() *time.Location {
	if t.house.Zone == nil {
		return time.UTC
	}
	return t.house.Zone
}

// gatherer reads what the message in the morning is made of: either only sample data, or
// only others.
type gatherer struct {
	*tick
	midnight time.Time // at which today began
	sample   bool
}

// gather reads all parts. The error is about parts that could not be read.
func (g *gatherer) gather(ctx context.Context) (m deadline.Morning, err error) {
	m.Imperial, m.Currency = g.file.House.Units == "imperial", string(g.file.House.Currency)
	for _, s := range g.active {
		if s.Open() && s.Sample == g.sample && s.Root == "" {
			m.Firing = append(m.Firing, s)
		}
	}
	var errs [4]error
	m.Weather, errs[0] = g.weather(ctx)
	items, failed := g.st.OpenItems(ctx, "asana", maxTasks)
	errs[1] = failed
	for _, i := range items {
		if i.Sample == g.sample {
			m.Tasks = append(m.Tasks, i)
		}
	}
	m.Energy, errs[2] = g.energy(ctx)
	if g.midnight.Weekday() == time.Sunday {
		m.Coming, errs[3] = g.coming(ctx)
	}
	return m, errors.Join(errs[:]...)
}

// is reports whether a series has the kind of data that is gathered.
func (g *gatherer) is(tags map[string]string) bool {
	return (tags[catalogue.SampleLabel] != "") == g.sample
}

// weather returns the weather of the house's place, or of all places.
func (g *gatherer) weather(ctx context.Context) (ws []deadline.Weather, err error) {
	now, err := g.st.Latest(ctx, "weather", g.now.Add(-2*time.Hour))
	if err != nil {
		return nil, err
	}
	days, err := g.st.BetweenAtMost(ctx, 1000, "weather_day", nil, g.midnight.Add(-12*time.Hour), g.midnight.Add(12*time.Hour))
	if err != nil {
		return nil, err
	}
	for _, r := range now {
		if !g.is(r.Tags) {
			continue
		}
		w := deadline.Weather{Place: r.Tags["place"], Sky: r.Text["description"], Now: value(r, "temperature_celsius")}
		for _, d := range days {
			if d.Tags["place"] == w.Place && g.is(d.Tags) {
				w.Low, w.High = value(d, "low_celsius"), value(d, "high_celsius")
				w.Rain, w.Snow, w.RainPercent = d.Fields["rain_mm"], d.Fields["snow_mm"], d.Fields["precipitation_chance_percent"]
			}
		}
		ws = append(ws, w)
	}
	home := func(w deadline.Weather) bool { return strings.EqualFold(w.Place, g.file.House.Place.Name) }
	if slices.ContainsFunc(ws, home) {
		ws = slices.DeleteFunc(ws, func(w deadline.Weather) bool { return !home(w) })
	}
	return ws[:min(len(ws), 3)], nil
}

func value(r reading.Reading, field string) *float64 {
	if v, ok := r.Fields[field]; ok {
		return &v
	}
	return nil
}

// energy returns what all meters counted yesterday, nil if none did.
func (g *gatherer) energy(ctx context.Context) (*deadline.Energy, error) {
	const field = "energy_delta_kwh"
	var parts []energy.Part
	for _, name := range g.measurementsWith(field) {
		q := store.Query{Name: name, Fields: []string{field}, From: g.midnight.AddDate(0, 0, -1), To: g.midnight, Step: energy.PriceStep}
		series, err := g.st.Windows(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, s := range series {
			if g.is(s.Tags) {
				parts = append(parts, energy.Counted(s.Windows, q, q.To)...)
			}
		}
	}
	if len(parts) == 0 {
		return nil, nil
	}
	use := energy.Sum(parts, g.file.House.PricePerKWh, g.zone())
	e := &deadline.Energy{KWh: use.KWh}
	if use.Priced {
		e.Cost = &use.Cost
	}
	return e, nil
}

// measurementsWith returns the names of the measurements that have a field.
func (g *gatherer) measurementsWith(field string) (names []string) {
	for _, m := range slices.Concat(catalogue.All(), g.file.measurements) {
		if slices.ContainsFunc(m.Fields, func(f catalogue.Field) bool { return f.Key == field }) && !slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}

// coming returns what ends within a month and does not fire yet.
func (g *gatherer) coming(ctx context.Context) ([]string, error) {
	batteries, err := g.batteries(ctx)
	minutes, failed := g.minutes(ctx)
	return slices.Concat(batteries, g.endings(), minutes), errors.Join(err, failed)
}

// batteries returns a sentence about each battery that ends soon.
func (g *gatherer) batteries(ctx context.Context) (says []string, err error) {
	const field = "battery_percent"
	devices, err := g.st.Devices(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, d := range devices {
		names[d.ID] = cmp.Or(d.Name, d.ID)
	}
	for _, name := range g.measurementsWith(field) {
		series, err := g.st.Windows(ctx, store.Query{Name: name, Fields: []string{field}, From: g.midnight.AddDate(0, 0, -30), To: g.now, Step: 24 * time.Hour, Zone: g.zone()})
		if err != nil {
			return nil, err
		}
		for _, s := range series {
			if !g.is(s.Tags) {
				continue
			}
			var levels []deadline.Level
			for _, w := range s.Windows {
				levels = append(levels, deadline.Level{Day: w.Start, Percent: w.Mean})
			}
			id := s.Tags["device"]
			if text := deadline.BatteryEnds(cmp.Or(names[id], id), levels, g.now); text != "" {
				says = append(says, text)
			}
		}
	}
	return says, nil
}

// minutes returns a sentence about each owner whose minutes of GitHub Actions do not last.
func (g *gatherer) minutes(ctx context.Context) (says []string, err error) {
	rs, err := g.st.Latest(ctx, "github_usage", g.now.AddDate(0, 0, -5))
	for _, r := range rs {
		if !g.is(r.Tags) || r.Time.Month() != g.now.UTC().Month() {
			continue
		}
		if text := deadline.Allotment("GitHub Actions of "+r.Tags["owner"], "min", r.Fields["minutes_used"], r.Fields["minutes_included"], g.now.UTC()); text != "" {
			says = append(says, text)
		}
	}
	return says, err
}

// endings returns a sentence about each certificate that ends within 30 days and does not
// fire.
func (g *gatherer) endings() (says []string) {
	g.memory.Lock()
	defer g.memory.Unlock()
	for _, server := range g.file.Certificates {
		end, s := g.memory.checked[server].end, g.active[rules.Certificate+"/"+server]
		if !g.sample && !s.Open() && !end.IsZero() && end.Before(g.midnight.AddDate(0, 0, 31)) {
			says = append(says, certificateOf(server, time.Time{}, end).Observe(alert.Spec{}, g.house, g.now).Text)
		}
	}
	return says
}
