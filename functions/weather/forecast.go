package function

import (
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
)

// forecast is the part of https://openweathermap.org/forecast5 that we keep:
// five days in slots of three hours.
type forecast struct {
	List []slot `json:"list"`
	City struct {
		Timezone *int64 `json:"timezone"` // seconds east of UTC, now: days beyond a change of the clocks are an hour off
	} `json:"city"`
}

type slot struct {
	conditions
	Chance *float64 `json:"pop"` // 0 to 1, of rain or snow
}

const (
	slotsPerDay   = 8
	secondsPerDay = 24 * 60 * 60
)

// decodeForecast returns a reading for each slot and one for each whole day.
func decodeForecast(body []byte) ([]reading.Reading, error) {
	var f forecast
	if err := unmarshal(body, &f); err != nil {
		return nil, err
	}
	if len(f.List) == 0 || f.City.Timezone == nil {
		return nil, errors.New("no list or no timezone in it")
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
			rs = append(rs, sum(slots, time.Unix(day, 0).UTC()))
		}
	}
	return rs, nil
}

// reading writes no rain and no snow as zero, unlike current weather: a slot is
// foretold again and again, and rain that was taken back must not stay.
func (s slot) reading() (reading.Reading, error) {
	r, err := s.conditions.reading("weather_forecast")
	if err != nil {
		return r, err
	}
	r.Fields["rain_mm"] = orNone(s.Rain.ThreeHours)
	r.Fields["snow_mm"] = orNone(s.Snow.ThreeHours)
	if s.Chance != nil {
		r.Fields["precipitation_chance_percent"] = math.Round(*s.Chance * 100)
	}
	return r, nil
}

func orNone(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

// midnight returns when the local day of t began.
func midnight(t, offset int64) int64 {
	local := t + offset
	return local - (local%secondsPerDay+secondsPerDay)%secondsPerDay - offset
}

// sum makes a day of its slots. Its time is the local midnight it begins with.
func sum(slots []reading.Reading, day time.Time) reading.Reading {
	fields := map[string]float64{}
	for _, s := range slots {
		keep := func(key, from string, pick func(a, b float64) float64) {
			v, ok := s.Fields[from]
			if !ok {
				return
			}
			if old, ok := fields[key]; ok {
				v = pick(old, v)
			}
			fields[key] = v
		}
		keep("low_celsius", "temperature_celsius", math.Min)
		keep("low_celsius", "low_celsius", math.Min)
		keep("high_celsius", "temperature_celsius", math.Max)
		keep("high_celsius", "high_celsius", math.Max)
		keep("precipitation_chance_percent", "precipitation_chance_percent", math.Max)
		keep("rain_mm", "rain_mm", add)
		keep("snow_mm", "snow_mm", add)
	}
	return reading.Reading{Name: "weather_day", Fields: fields, Time: day}
}

// add keeps the upstream's two decimals: 0.1+0.2 is 0.3.
func add(a, b float64) float64 { return math.Round((a+b)*100) / 100 }
