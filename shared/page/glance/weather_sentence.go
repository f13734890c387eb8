package glance

import (
	"html/template"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/reading"
)

const (
	evening   = 18   // o'clock: from then on the night counts, not the day
	stormGust = 17.2 // m/s: a fresh gale, 8 of Beaufort's scale
	aDay      = 24 * time.Hour
)

// sentence says what the weather will be, as a person would: "6 to 12° today, dry until 23, then
// 6 mm".
func (o *outlook) sentence() template.HTML {
	parts := []template.HTML{o.temperatures()}
	if !o.Past && len(o.ahead()) > 0 {
		parts = append(parts, o.rain())
		if gust := o.gust(); gust != "" {
			parts = append(parts, gust)
		}
	}
	return join(parts, ", ")
}

// temperatures says how warm the day is, or from the evening on the night.
func (o *outlook) temperatures() template.HTML {
	low, high, whole := o.today()
	if o.Past {
		return o.degreesFromTo(low, high, texts.Say("weather.soFar"))
	}
	local := o.Now.In(o.Zone)
	morning := o.midnight.AddDate(0, 0, 1).Add(9 * time.Hour)
	night, _, known := extremes(o.within(morning))
	frost := known && night <= 0 && o.now.Fields["temperature_celsius"] > 0 && high > 0
	switch {
	case known && local.Hour() >= evening && frost:
		return texts.HTML("weather.frostDownTo", o.degrees(round0(night), 0))
	case known && local.Hour() >= evening:
		return texts.HTML("weather.downTo", o.degrees(round0(night), 0))
	}
	day := o.degreesFromTo(low, high, pick(whole, texts.Say("weather.today"), texts.Say("weather.rest")))
	if frost {
		return day + ", " + escaped(pick(o.frostAt().Before(o.midnight.Add(12*time.Hour)), texts.Say("weather.frostMorning"), texts.Say("weather.frostTonight")))
	}
	return day
}

// frostAt returns when it first freezes.
func (o *outlook) frostAt() time.Time {
	for _, r := range o.ahead() {
		if v, ok := r.Fields["temperature_celsius"]; ok && v <= 0 {
			return r.Time
		}
	}
	return time.Time{}
}

// degreesFromTo writes a span of temperatures: "6 to 12° today", or "about 6° today".
func (o *outlook) degreesFromTo(low, high float64, when string) template.HTML {
	a, b := round(o.celsius(low)), round(o.celsius(high))
	if a == b {
		return texts.HTML("weather.about", num(a, 0), when)
	}
	return texts.HTML("weather.fromTo", num(a, 0), num(b, 0), when)
}

// round0 keeps -0.4° from being written as -0°.
func round0(v float64) float64 {
	if v > -0.5 && v < 0 {
		return 0
	}
	return v
}

// fall is rain or snow without a pause, of slots.
type fall struct {
	begin, end time.Time
	rain, snow float64 // mm
	thunder    bool
}

// nextFall returns the first rain or snow that is forecast.
func (o *outlook) nextFall() (f fall, ok bool) {
	for _, r := range o.ahead() {
		if fallen(r) == 0 {
			if ok {
				return f, true
			}
			continue
		}
		if !ok {
			f.begin, ok = r.Time.Add(-slotTime), true
		}
		f.end = r.Time
		f.rain += r.Fields["rain_mm"]
		f.snow += r.Fields["snow_mm"]
		f.thunder = f.thunder || skyOf(r, false) == "storm"
	}
	return f, ok
}

// rain says until when it is dry or wet.
func (o *outlook) rain() template.HTML {
	f, ok := o.nextFall()
	sky := skyOf(o.now, false)
	wetNow := o.current() && (o.now.Fields["rain_last_hour_mm"]+o.now.Fields["snow_last_hour_mm"] >= wet || slices.Contains([]string{"rain", "drizzle", "snow", "storm"}, sky))
	falling := texts.Say("weather.rain")
	if sky == "snow" {
		falling = texts.Say("weather.snow")
	}
	slots := o.ahead()
	last := slots[len(slots)-1].Time
	switch {
	case wetNow && ok && !f.begin.After(o.Now) && f.end.Equal(last):
		return texts.HTML("weather.forDays", falling)
	case wetNow && ok && !f.begin.After(o.Now):
		return texts.HTML("weather.wetUntil", falling, o.when(f.end), o.amount(f))
	case wetNow:
		return texts.HTML("weather.endsSoon", falling)
	case !ok && last.Sub(o.Now) > 2*aDay:
		return texts.HTML("weather.dryFor", int(last.Sub(o.Now)/aDay))
	case !ok:
		return texts.HTML("weather.dryUntil", o.when(last))
	case f.begin.Sub(o.Now) < 30*time.Minute:
		return texts.HTML("weather.soonUntil", o.amount(f), o.when(f.end))
	case f.begin.Sub(o.Now) > aDay:
		return texts.HTML("weather.dryUntil", o.when(f.begin))
	}
	return texts.HTML("weather.dryThen", o.when(f.begin), o.amount(f))
}

// when writes the hour of a time that is less than a day ahead, else its day.
func (o *outlook) when(t time.Time) template.HTML {
	if t.Sub(o.Now) < 23*time.Hour {
		return o.at(t, hour)
	}
	return o.at(t, weekday)
}

// amount writes how much falls: "6 mm", "snow, 4 mm", "thunderstorms, 12 mm", "a little rain".
func (o *outlook) amount(f fall) template.HTML {
	kind := ""
	switch {
	case f.thunder:
		kind = texts.Say("weather.thunder")
	case f.snow > f.rain:
		kind = texts.Say("weather.snow")
	}
	v, unit := o.convert(f.rain+f.snow, "mm")
	digits := 0
	if unit == "in" {
		digits = 1
	}
	step := math.Pow(10, float64(-digits))
	switch {
	case v < step*0.95 && kind == "":
		return texts.HTML("weather.aLittle")
	case v < step*0.95:
		return escaped(kind)
	case kind != "":
		kind += ", "
	}
	return escaped(kind) + num(v, digits) + template.HTML("\u00a0"+unit)
}

// gust says that it will be stormy.
func (o *outlook) gust() template.HTML {
	var worst reading.Reading
	if o.current() {
		worst = o.now
	}
	for _, r := range o.within(o.Now.Add(aDay)) {
		if r.Fields["gust_mps"] > worst.Fields["gust_mps"] {
			worst = r
		}
	}
	v := worst.Fields["gust_mps"]
	if v < stormGust {
		return ""
	}
	speed, unit := o.convert(v, "m/s")
	if worst.Time.After(o.Now) {
		return texts.HTML("weather.gustsAround", num(speed, 0), unit, o.when(worst.Time))
	}
	return texts.HTML("weather.gusts", num(speed, 0), unit)
}

// detail is the second line: the sky, what it feels like, the wind.
func (o *outlook) detail() template.HTML {
	parts := []template.HTML{template.HTML(template.HTMLEscapeString(o.Redact(o.now.Text["description"])))}
	if v, ok := o.now.Fields["feels_like_celsius"]; ok {
		parts = append(parts, texts.HTML("weather.feels", num(round(o.celsius(v)), 0)))
	}
	if v, ok := o.now.Fields["wind_mps"]; ok {
		parts = append(parts, o.wind(v))
	}
	if made := o.made(); o.Now.Sub(made) > aDay && !made.IsZero() {
		parts = append(parts, texts.HTML("weather.old", o.at(made, age)))
	}
	return join(parts, " · ")
}

// wind says how fast it is and where it comes from: "wind 3 m/s from S".
func (o *outlook) wind(v float64) template.HTML {
	speed, unit := o.convert(v, "m/s")
	if round(speed) == 0 {
		return texts.HTML("weather.calm")
	}
	if d, ok := o.now.Fields["wind_direction_degrees"]; ok {
		compass := texts.List("weather.compass")
		return texts.HTML("weather.windFrom", num(round(speed), 0), unit, compass[int(math.Round(d/45))%len(compass)])
	}
	return texts.HTML("weather.wind", num(round(speed), 0), unit)
}
