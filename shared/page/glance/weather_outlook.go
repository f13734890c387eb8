package glance

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// outlook is what is known of the weather of a place: the last report, what was measured today,
// and what is forecast. In the past nothing is forecast: only today's forecast is stored.
type outlook struct {
	*world
	now      reading.Reading
	midnight time.Time         // at which today began
	measured []reading.Reading // today, so far
	slots    []reading.Reading // of today and later, in steps of three hours
	daily    []reading.Reading // by day
}

// outlook reads what is known of the place of a report.
func (w *world) outlook(ctx context.Context, report reading.Reading) (*outlook, error) {
	local := w.Now.In(w.Zone)
	o := &outlook{world: w, now: report, midnight: time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, w.Zone)}
	end := o.midnight.AddDate(0, 0, 7)
	var errs [3]error
	o.measured, errs[0] = w.between(ctx, "weather", report.Tags, o.midnight, o.midnight.AddDate(0, 0, 1))
	o.measured = slices.DeleteFunc(slices.Clone(o.measured), func(r reading.Reading) bool { return r.Time.After(w.Now) })
	if !w.Past {
		o.slots, errs[1] = w.between(ctx, "weather_forecast", report.Tags, o.midnight, end)
		o.daily, errs[2] = w.between(ctx, "weather_day", report.Tags, o.midnight.Add(-12*time.Hour), end)
	}
	return o, errors.Join(errs[:]...)
}

// ahead returns the slots that are not over.
func (o *outlook) ahead() []reading.Reading {
	n := slices.IndexFunc(o.slots, func(r reading.Reading) bool { return r.Time.After(o.Now) })
	if n < 0 {
		return nil
	}
	return o.slots[n:]
}

// within returns the slots ahead until a time.
func (o *outlook) within(end time.Time) []reading.Reading {
	all := o.ahead()
	n := slices.IndexFunc(all, func(r reading.Reading) bool { return r.Time.After(end) })
	if n < 0 {
		return all
	}
	return all[:n]
}

// made returns about when the forecast was made, by how far it goes: forecasts come on their own
// and may stop while reports go on. Zero: there is none.
func (o *outlook) made() time.Time {
	if len(o.slots) == 0 {
		return time.Time{}
	}
	return o.slots[len(o.slots)-1].Time.Add(-forecastSpan)
}

// current reports whether the report says something of now.
func (o *outlook) current() bool { return o.Now.Sub(o.now.Time) < slotTime }

// isNight reports whether the sun is down; without a place of the house from 19 to 7.
func (o *outlook) isNight(t time.Time) bool {
	if p := o.File.House.Place; p.Latitude != nil && p.Longitude != nil {
		return !risen(p, t)
	}
	h := t.In(o.Zone).Hour()
	return h < 7 || h >= 19
}

// extremes returns the lowest and highest temperature of readings; ok is false without any.
func extremes(rs []reading.Reading) (low, high float64, ok bool) {
	for _, r := range rs {
		for _, field := range []string{"temperature_celsius", "low_celsius", "high_celsius"} {
			if v, has := r.Fields[field]; has && (r.Name == "weather_day" || field == "temperature_celsius") {
				if !ok {
					low, high, ok = v, v, true
				}
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low, high, ok
}

// day returns the forecast of a day by its distance from today: of the whole day if that is
// stored, and the slots in it.
func (o *outlook) day(n int) (daily, slots []reading.Reading) {
	begin, end := o.midnight.AddDate(0, 0, n), o.midnight.AddDate(0, 0, n+1)
	for _, r := range o.daily {
		if noon := r.Time.Add(12 * time.Hour); !noon.Before(begin) && noon.Before(end) {
			daily = append(daily, r)
		}
	}
	for _, r := range o.slots {
		if !r.Time.Before(begin) && r.Time.Before(end) {
			slots = append(slots, r)
		}
	}
	return daily, slots
}

// today returns the lowest and highest temperature of today; whole is false if its morning is
// unknown.
func (o *outlook) today() (low, high float64, whole bool) {
	daily, slots := o.day(0)
	known := slices.Concat(o.measured, slots, daily)
	if len(known) == 0 || !o.now.Time.Before(o.midnight) {
		known = append(known, o.now)
	}
	low, high, _ = extremes(known)
	morning := o.midnight.Add(9 * time.Hour)
	return low, high, len(daily) > 0 || slices.ContainsFunc(known, func(r reading.Reading) bool { return r.Time.Before(morning) })
}

const forecastSpan = 40 * slotTime // OpenWeather's: 5 days

const (
	wet      = 0.2 // mm that must fall in three hours to be named
	probable = 30  // percent of chance from which on it is
)

// fallen returns the rain and snow of a slot in mm, 0 if they are improbable.
func fallen(r reading.Reading) float64 {
	mm := r.Fields["rain_mm"] + r.Fields["snow_mm"]
	if chance, ok := r.Fields["precipitation_chance_percent"]; mm < wet || ok && chance < probable {
		return 0
	}
	return mm
}
