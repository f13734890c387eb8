package glance

import (
	"html/template"
	"math"
	"time"

	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/settings"
)

// Sun is when the sun rises and sets on a day.
type Sun struct {
	Rise, Set time.Time // zero: it does not on this day
	Up        bool      // without Rise and Set: it is above the horizon all day
}

// sunOf returns when the sun rises and sets at a place on the day of t in its location; nil
// if the place is unknown. On a day on which it only rises or only sets, the other is zero.
func sunOf(p settings.Place, t time.Time) *Sun {
	if p.Latitude == nil || p.Longitude == nil {
		return nil
	}
	begin := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	end := begin.AddDate(0, 0, 1)
	s := &Sun{Up: risen(p, begin)}
	const step = 10 * time.Minute
	up := s.Up
	for at := begin; at.Before(end); at = at.Add(step) {
		now := risen(p, at.Add(step))
		switch {
		case now && !up:
			s.Rise = crossing(p, at, step, true)
		case !now && up:
			s.Set = crossing(p, at, step, false)
		}
		up = now
	}
	return s
}

// SunText says when the sun rises and sets: "sun 07:31 – 16:22". It is empty if the place of the
// house is unknown.
func (s Snapshot) SunText() template.HTML {
	w := &world{Now: s.Now, Zone: s.Zone}
	switch sun := s.Sun; {
	case sun == nil:
		return ""
	case !sun.Rise.IsZero() && !sun.Set.IsZero():
		return texts.HTML("sun.both", w.at(sun.Rise, clock), w.at(sun.Set, clock))
	case !sun.Rise.IsZero():
		return texts.HTML("sun.rises", w.at(sun.Rise, clock))
	case !sun.Set.IsZero():
		return texts.HTML("sun.sets", w.at(sun.Set, clock))
	case sun.Up:
		return texts.HTML("sun.up")
	}
	return texts.HTML("sun.down")
}

// crossing returns when the sun crosses the horizon within a step, to the second.
func crossing(p settings.Place, from time.Time, step time.Duration, rises bool) time.Time {
	for step > time.Second {
		step /= 2
		if middle := from.Add(step); risen(p, middle) != rises {
			from = middle
		}
	}
	return from.Round(time.Second)
}

// horizon is the altitude of the sun's centre in degrees when its upper edge rises at sea
// level: its radius of 16' and a refraction of 34'.
const horizon = -50.0 / 60

// risen reports whether the sun is above the horizon of a place.
func risen(p settings.Place, t time.Time) bool {
	return altitude(*p.Latitude, *p.Longitude, t) > horizon
}

// altitude returns the altitude of the sun's centre in degrees, without refraction, to about
// 0.01°, which is a few seconds of a sunrise. It follows J. Meeus, Astronomical Algorithms,
// chapters 12, 22 and 25 (low accuracy).
func altitude(latitude, longitude float64, t time.Time) float64 {
	days := float64(t.Unix())/86400 - 10957.5 // since 2000-01-01 12:00
	century := days / 36525
	anomaly := radians(357.52911 + century*(35999.05029-0.0001537*century))
	node := radians(125.04 - 1934.136*century)
	center := (1.914602-0.004817*century)*math.Sin(anomaly) + 0.019993*math.Sin(2*anomaly) + 0.000289*math.Sin(3*anomaly)
	lambda := radians(280.46646+century*(36000.76983+0.0003032*century)+center) - radians(0.00569+0.00478*math.Sin(node))
	tilt := radians(23.4392911 - 0.0130042*century + 0.00256*math.Cos(node))
	declination := math.Asin(math.Sin(tilt) * math.Sin(lambda))
	ascension := math.Atan2(math.Cos(tilt)*math.Sin(lambda), math.Cos(lambda))
	sidereal := radians(280.46061837 + 360.98564736629*days)
	hour := sidereal + radians(longitude) - ascension
	phi := radians(latitude)
	return math.Asin(math.Sin(phi)*math.Sin(declination)+math.Cos(phi)*math.Cos(declination)*math.Cos(hour)) * 180 / math.Pi
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
