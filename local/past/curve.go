package past

import (
	"cmp"
	"hash/fnv"
	"io"
	"math"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
)

// curve makes earlier readings from the newest one. It is asked for ever earlier times.
type curve struct {
	m      catalogue.Measurement
	newest reading.Reading
	phase  float64 // in which series differ
	hours  float64 // between two readings
	energy float64 // kWh that were used after the reading that was made last
}

func curveOf(m catalogue.Measurement, newest reading.Reading, p pace) *curve {
	sum := fnv.New32a()
	io.WriteString(sum, newest.Series())
	return &curve{m: m, newest: newest, phase: float64(sum.Sum32()%628) / 100, hours: p.step.Hours()}
}

// at returns the reading of a time before those that it returned so far.
func (c *curve) at(t time.Time) reading.Reading {
	out := reading.Reading{Name: c.newest.Name, Tags: c.newest.Tags, Time: t, Fields: map[string]float64{}}
	for key, v := range c.newest.Fields {
		f, _ := c.m.Field(key)
		if past, ok := c.value(f, key, v, t); ok {
			if f.Max > f.Min {
				past = min(max(past, f.Min), f.Max)
			}
			out.Fields[key] = past
		}
	}
	c.meter(out.Fields)
	return out
}

// meter sets what the counter of a meter was, by the power that it measured since.
func (c *curve) meter(fields map[string]float64) {
	total, counts := c.newest.Fields[totalKey]
	watts, measures := fields[powerKey]
	if !counts || !measures {
		return
	}
	used := watts / 1000 * c.hours
	fields[totalKey], fields[deltaKey] = round(total-c.energy, 3), round(used, 5)
	c.energy += used
}

// The fields of a meter.
const (
	powerKey = "power_watts"
	totalKey = "energy_kwh"
	deltaKey = "energy_delta_kwh"
)

// value returns what a field was at an earlier time, and whether it has a history: counts and
// times have none.
func (c *curve) value(f catalogue.Field, key string, v float64, t time.Time) (float64, bool) {
	unit := cmp.Or(f.Unit, catalogue.KeyUnit(key))
	switch {
	case f.Of != "" || f.Words != nil || f.Max == 1:
		return v, true
	case key == deltaKey || f.Counter || unit == "" || unit == "s" || unit == "B":
		return 0, false
	case c.m.Day:
		return round(v+c.term(t), 2), true
	case unit == "$":
		return round(v*(1+0.02*c.change(t)+0.4*c.years(t)), 2), true
	case unit == "°C":
		return round(v+1.6*c.change(t), 2), true
	case unit == "hPa":
		return round(v+3*c.change(t), 1), true
	case unit == "V":
		return round(v*(1+0.004*c.change(t)), 2), true
	case unit == "%" && v > 90:
		return v, true
	default:
		return round(v*(1+0.3*c.change(t)), 2), true
	}
}

// term returns by how much a yield was another: short terms were higher, long ones lower.
func (c *curve) term(t time.Time) float64 {
	months := c.newest.Fields["maturity_months"]
	return -c.years(t)*(0.6-0.35*math.Log1p(months)/math.Log1p(360)*2) + 0.08*c.change(t)
}

// years returns the years from the newest reading to t: negative.
func (c *curve) years(t time.Time) float64 { return t.Sub(c.newest.Time).Hours() / (365 * 24) }

// change returns how much higher the wave was than it is for the newest reading, about -2 to 2.
func (c *curve) change(t time.Time) float64 { return c.wave(t) - c.wave(c.newest.Time) }

// wave rises and falls within a day, with smaller waves on it.
func (c *curve) wave(t time.Time) float64 {
	days := float64(t.Unix()) / 86400 * 2 * math.Pi
	return 0.6*math.Sin(days+c.phase-2) + 0.25*math.Sin(days*3+2*c.phase) + 0.1*math.Sin(days*11+c.phase) + 0.15*math.Sin(days/5+c.phase)
}

func round(v float64, digits int) float64 {
	n := math.Pow10(digits)
	return math.Round(v*n) / n
}
