package glance

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/energy"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/store"
)

const maxPlots = 8 // series that a click on a tile plots

// powerData is what the markup reads.
type powerData struct {
	Now       template.HTML // "412 W", "" if nothing measures
	Today     template.HTML // "3.1 kWh"
	Since     template.HTML // from when on today is known, if that is not midnight
	Compared  template.HTML // "0.4 less than yesterday by now"
	Cost      template.HTML
	Month     template.HTML
	Groups    []powerGroup // the others
	Plot      template.HTML
	Yesterday bool // it is in the plot
	Notes     []template.HTML
}

type powerGroup struct {
	Title string
	Now   template.HTML
}

func power(ctx context.Context, w *world) (*Tile, error) {
	devices, err := w.devices(ctx)
	if err != nil {
		return nil, err
	}
	groups := w.meterGroups(devices)
	if len(groups) == 0 {
		return nil, nil
	}
	g := groups[0]
	t := &Tile{Sample: true, Stale: shortestPause}
	for _, m := range g.meters {
		t.Sample = t.Sample && m.device.Sample
		if len(t.Plots) < maxPlots {
			t.Plots = append(t.Plots, m.plot(w))
		}
		if m.at.After(t.At) {
			t.At, t.Stale = m.at, w.fresh(m.device, m.in)
		}
	}
	data := powerData{}
	if sum, ok := g.watts(); ok {
		data.Now = w.watts(sum)
	}
	if g.title != "" && len(groups) > 1 {
		t.Title = texts.Say("power.group", g.title)
	}
	for _, other := range groups[1:] {
		if sum, ok := other.watts(); ok {
			data.Groups = append(data.Groups, powerGroup{other.title, w.watts(sum)})
		}
	}
	today := w.today()
	err = w.readMeters(ctx, g.meters, today.before)
	if err == nil {
		w.drawEnergy(&data, g, today)
		data.Plot, data.Yesterday = w.powerPlot(g, today)
		data.Month, err = w.month(ctx, g, today)
	}
	data.Notes = w.silentMeters(groups)
	line, needs, failed := upsLine(ctx, w)
	if line != "" {
		data.Notes = append(data.Notes, line)
	}
	t.Needs = append(t.Needs, needs...)
	t.Body = draw("power", data)
	return t, errors.Join(err, failed)
}

// watts writes a power: from 10,000 W on in kW.
func (w *world) watts(v float64) template.HTML {
	if math.Abs(v) >= 10000 {
		return num(v/1000, 1) + "<small> kW</small>"
	}
	digits := 0
	if math.Abs(v) < 10 {
		digits = 1
	}
	return num(v, digits) + "<small> W</small>"
}

// silentMeters says which meters are not counted.
func (w *world) silentMeters(groups []meterGroup) (out []template.HTML) {
	named := map[string]bool{}
	for _, g := range groups {
		for _, m := range g.meters {
			if key := m.device.ID + "." + m.metric; m.old && !named[key] {
				named[key] = true
				out = append(out, texts.HTML("power.silent", w.spoken(m.device), w.at(m.at, age)))
			}
		}
	}
	if rest := len(out) - 2; rest > 0 {
		out = append(out[:2], texts.HTML("power.moreSilent", rest))
	}
	return out
}

// powerDays are the midnights between which powers are compared, in the zone of the house.
type powerDays struct {
	before, start, end time.Time // of yesterday, of today, of tomorrow
	byNow              time.Time // yesterday at this time of day
}

// today returns the days around now. A day on which the clocks change has 23 or 25 hours.
func (w *world) today() powerDays {
	q := store.Query{Step: 24 * time.Hour, Zone: w.Zone}
	start, end := q.Window(w.Now)
	before, _ := q.Window(start.Add(-time.Hour))
	local := w.Now.In(w.Zone)
	yesterday := before.In(w.Zone)
	byNow := time.Date(yesterday.Year(), yesterday.Month(), yesterday.Day(), local.Hour(), local.Minute(), local.Second(), 0, w.Zone)
	if byNow.After(start) {
		byNow = start
	}
	return powerDays{before, start, end, byNow}
}

// drawEnergy writes the energy of today, compared with that of yesterday, and its cost.
func (w *world) drawEnergy(data *powerData, g meterGroup, d powerDays) {
	var now, then []energy.Part
	first, comparable := w.Now, true
	for _, m := range g.meters {
		slack := w.slack(m)
		mine, before := energy.Within(m.used, d.start, w.Now), energy.Within(m.used, d.before, d.byNow)
		comparable = comparable && covers(mine, d.start, w.Now, slack) && covers(before, d.before, d.byNow, slack)
		if len(mine) > 0 && mine[0].Start.Before(first) {
			first = mine[0].Start
		}
		now, then = append(now, mine...), append(then, before...)
	}
	if len(now) == 0 {
		return
	}
	use := energy.Sum(now, w.File.House.PricePerKWh, w.Zone)
	data.Today = kwh(use.KWh)
	if first.Sub(d.start) > time.Hour {
		data.Since = w.at(first, clock)
	}
	if comparable {
		data.Compared = compared(use.KWh, energy.Sum(then, nil, w.Zone).KWh)
	}
	if use.Priced {
		data.Cost = w.money(use.Cost, 2)
	}
}

// covers reports whether parts begin near from and end near to.
func covers(parts []energy.Part, from, to time.Time, slack time.Duration) bool {
	if to.Sub(from) <= slack {
		return len(parts) > 0 || from.Equal(to)
	}
	return len(parts) > 0 && parts[0].Start.Sub(from) <= slack && to.Sub(parts[len(parts)-1].End) <= slack
}

// kwh writes an energy in bold.
func kwh(v float64) template.HTML {
	return "<b>" + num(v, energyDigits(v)) + " kWh</b>"
}

func energyDigits(v float64) int {
	switch v = math.Abs(v); {
	case v < 1:
		return 2
	case v < 100:
		return 1
	}
	return 0
}

// compared says how an energy differs from that of yesterday, as exactly as it is written.
func compared(now, then float64) template.HTML {
	digits := energyDigits(now)
	more := now - then
	switch {
	case math.Abs(more) < 0.5*math.Pow10(-digits):
		return texts.HTML("power.same")
	case more < 0:
		return texts.HTML("power.less", num(-more, digits))
	}
	return texts.HTML("power.more", num(more, digits))
}

// currencies are the signs of currencies that are written in place of their codes where the
// locale of the house is not known.
var currencies = strings.NewReplacer("EUR", "€", "USD", "$", "GBP", "£")

// money writes an amount in the currency of the house; the page writes it as the locale does.
func (w *world) money(v float64, digits int) template.HTML {
	code := string(w.File.House.Currency)
	if code == "" {
		return num(v, digits)
	}
	return template.HTML(fmt.Sprintf(`<data value="%.*f" data-d="%d" data-currency="%s">%s %s</data>`, digits, v, digits, template.HTMLEscapeString(code), text(v, digits), template.HTMLEscapeString(currencies.Replace(code))))
}
