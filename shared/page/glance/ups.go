package glance

import (
	"cmp"
	"context"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/history"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/settings"
)

// supply is what is shown of one UPS. Values that are missing are nil.
type supply struct {
	Name                   string
	OnBattery, Calibrating bool
	Known                  bool // that it runs on battery is acknowledged or silenced
	OnMains                bool // it is known that it is not on battery
	Low                    bool
	Minutes, Charge, Load  *float64
	Old                    template.HTML // how old its values are; "": they are new
	Plot                   plotted

	device device
	fresh  time.Duration // how old its values may be
}

// ups shows the UPSes: several, or one that hearth.yml names or that no power tile shows.
func ups(ctx context.Context, w *world) (*Tile, error) {
	all, err := w.supplies(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if len(all) == 1 && !w.named("ups") {
		if p, _ := power(ctx, w); p != nil {
			return nil, nil
		}
	}
	t := &Tile{}
	for _, s := range all {
		if s.device.Seen.After(t.At) {
			t.At = s.device.Seen
		}
		t.Stale = max(t.Stale, s.fresh)
		t.Sample = t.Sample || s.device.Sample
		t.Needs = append(t.Needs, w.supplyNeed(s)...)
		t.Plots = append(t.Plots, s.series()...)
	}
	t.Plots = t.Plots[:min(len(t.Plots), maxPlotted)]
	t.Body = draw("ups", struct{ UPSes []supply }{all})
	return t, nil
}

// named reports whether hearth.yml lists a tile.
func (w *world) named(tile string) bool {
	return slices.ContainsFunc(w.File.Tiles, func(t settings.Tile) bool { return t.Tile == tile })
}

// supplies returns the UPSes by name: devices that say how long their battery lasts, or on what
// they run.
func (w *world) supplies(ctx context.Context) (out []supply, err error) {
	devices, err := w.devices(ctx)
	for _, d := range devices {
		for _, metric := range []string{"runtime_seconds", "on_battery", "on_mains"} {
			if _, ok := d.Values[metric]; ok {
				out = append(out, w.supply(d))
				break
			}
		}
	}
	return out, err
}

func (w *world) supply(d device) supply {
	m, _ := catalogue.Get("ups")
	s := supply{Name: w.Redact(cmp.Or(d.Name, d.ID)), device: d, fresh: w.fresh(d, m)}
	is := func(metric string) bool { v, ok := d.value(metric, w.Now, s.fresh); return ok && v == 1 }
	battery, known := d.value("on_battery", w.Now, s.fresh)
	s.Calibrating = is("calibrating")
	s.OnBattery = known && battery == 1 && !s.Calibrating
	s.Known = w.hasAlert(s.isAbout) && !w.wantsPerson(s.isAbout)
	s.OnMains = known && battery == 0 || is("on_mains")
	s.Low = is("low_battery")
	part := func(metric string, factor float64) *float64 {
		v, ok := d.value(metric, w.Now, s.fresh)
		if !ok {
			return nil
		}
		v *= factor
		return &v
	}
	s.Minutes, s.Charge, s.Load = part("runtime_seconds", 1.0/60), part("battery_percent", 1), part("load_percent", 1)
	if s.Minutes != nil {
		*s.Minutes = math.Floor(*s.Minutes)
	}
	if s.Minutes == nil && s.Charge == nil && !known || d.Away {
		s.OnBattery, s.OnMains, s.Calibrating, s.Minutes, s.Charge, s.Load = false, false, false, nil, nil, nil
		s.Old = w.at(d.Seen, age)
	}
	s.Plot = plotsOf(s.series()...)
	return s
}

func (s supply) series() (out []history.Series) {
	tags := map[string]string{"device": s.device.ID}
	for _, f := range []struct{ field, title string }{{"runtime_seconds", texts.Say("ups.lasts")}, {"battery_percent", texts.Say("ups.charge")}, {"load_percent", texts.Say("ups.load")}} {
		if _, ok := s.device.Values[f.field]; ok {
			out = append(out, history.Series{Measurement: "ups", Field: f.field, Tags: tags, Title: s.Name + ", " + f.title})
		}
	}
	return out
}

// isAbout reports whether an alert with the key is about the UPS running on battery.
func (s supply) isAbout(key string) bool {
	return strings.Contains(key, "/"+s.device.ID+"/on_battery") || strings.Contains(key, "/"+s.device.ID+"/low_battery")
}

// supplyNeed returns what no alert says: a UPS on battery.
func (w *world) supplyNeed(s supply) []Need {
	if !s.OnBattery || w.hasAlert(s.isAbout) {
		return nil
	}
	n := Need{Severity: alert.Critical, What: s.Name, Value: texts.HTML("ups.onBattery"), Since: timeOf(s.device.Values["on_battery"]), Sample: s.device.Sample}
	if s.Minutes != nil {
		n.Rest = texts.HTML("ups.left", num(*s.Minutes, 0))
	}
	return []Need{n}
}

// upsLine is the line about the only UPS below another tile: "UPS on mains, 50 min in the
// battery", and what it needs; "" if there is none, or the UPSes have a tile.
func upsLine(ctx context.Context, w *world) (template.HTML, []Need, error) {
	all, err := w.supplies(ctx)
	if err != nil || len(all) != 1 || w.named("ups") {
		return "", nil, err
	}
	return draw("upsline", all[0]), w.supplyNeed(all[0]), nil
}
