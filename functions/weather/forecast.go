package function

import (
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// forecast is an answer of https://openweathermap.org/forecast5, as far as we use it: five
// days in slots of three hours.
type forecast struct {
	List []slot `json:"list"`
	City struct {
		Timezone *int64 `json:"timezone"` // seconds east of UTC now; after a change to or from summer time, the days are one hour off
	} `json:"city"`
}

type slot struct {
	conditions
	Chance *float64 `json:"pop"` // of rain or snow, 0 to 1
}

const (
	slotsPerDay   = 8
	secondsPerDay = 24 * 60 * 60
)

// decodeForecast returns a weather_forecast reading for each slot and a weather_day
// reading for each day with all its slots.
func decodeForecast(body []byte) ([]reading.Reading, error) {
	var f forecast
	if err := unmarshal(body, &f); err != nil {
		return nil, err
	}
	if len(f.List) == 0 || f.City.Timezone == nil {
		return nil, errors.New("no list or no timezone in the answer")
	}
	var rs []reading.Reading
	byDay := map[int64][]reading.Reading{}
	for _, s := range f.List {
		r, err := s.reading()
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
		day := midnight(s.Dt, *f.City.Timezone)
		byDay[day] = append(byDay[day], r)
	}
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		if slots := byDay[day]; len(slots) == slotsPerDay {
			rs = append(rs, summarize(slots, time.Unix(day, 0).UTC()))
		}
	}
	return rs, nil
}

// reading returns the reading of a slot. Absent rain or snow is stored as 0: a later
// forecast overwrites the same slot, and must also overwrite its rain.
func (s slot) reading() (reading.Reading, error) {
	r, err := s.conditions.reading("weather_forecast")
	if err != nil {
		return r, err
	}
	r.Fields["rain_mm"] = orZero(s.Rain.ThreeHours)
	r.Fields["snow_mm"] = orZero(s.Snow.ThreeHours)
	if s.Chance != nil {
		r.Fields["precipitation_chance_percent"] = math.Round(*s.Chance * 100)
	}
	return r, nil
}

func orZero(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// midnight returns the start of t's local day. All are Unix times or seconds; offset is
// that of the local time to UTC.
func midnight(t, offset int64) int64 {
	local := t + offset
	return local - (local%secondsPerDay+secondsPerDay)%secondsPerDay - offset
}

// summarize returns the weather_day reading of a day's slots: lowest and highest
// temperature, highest chance and sum of precipitation. day is the local midnight at
// which it begins.
func summarize(slots []reading.Reading, day time.Time) reading.Reading {
	fields := map[string]float64{}
	for _, s := range slots {
		combine := func(key, from string, with func(a, b float64) float64) {
			v, ok := s.Fields[from]
			if !ok {
				return
			}
			if old, ok := fields[key]; ok {
				v = with(old, v)
			}
			fields[key] = v
		}
		combine("low_celsius", "temperature_celsius", math.Min)
		combine("low_celsius", "low_celsius", math.Min)
		combine("high_celsius", "temperature_celsius", math.Max)
		combine("high_celsius", "high_celsius", math.Max)
		combine("precipitation_chance_percent", "precipitation_chance_percent", math.Max)
		combine("rain_mm", "rain_mm", add)
		combine("snow_mm", "snow_mm", add)
	}
	return reading.Reading{Name: "weather_day", Fields: fields, Time: day}
}

// add rounds the sum to the two decimals that the upstream sends, so 0.1+0.2 is 0.3.
func add(a, b float64) float64 { return math.Round((a+b)*100) / 100 }
