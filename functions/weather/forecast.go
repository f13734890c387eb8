package function

import (
	"cmp"
	"errors"
	"fmt"
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
	slotHours     = 3
	slotsPerDay   = 24 / slotHours
	secondsPerDay = 24 * 60 * 60
)

// decodeForecast returns a weather_forecast reading for each slot and a weather_day
// reading for each day with all its slots. With an error of one slot it returns the others.
func decodeForecast(body []byte) ([]reading.Reading, error) {
	var f forecast
	odd := unmarshal(body, &f)
	if err := fatal(odd); err != nil {
		return nil, err
	}
	if len(f.List) == 0 || f.City.Timezone == nil {
		return nil, errors.New("no list or no timezone in the answer")
	}
	var rs []reading.Reading
	var bad error
	days := map[int64]*day{}
	of := func(t int64) *day {
		at := midnight(t, *f.City.Timezone)
		if days[at] == nil {
			days[at] = &day{}
		}
		return days[at]
	}
	for i, s := range f.List {
		r, err := s.reading()
		if err != nil {
			bad = cmp.Or(bad, fmt.Errorf("slot %d: %w", i+1, err))
			continue
		}
		rs = append(rs, r)
		r.Fields = inRange(r.Name, r.Fields)
		of(s.Dt).slots = append(of(s.Dt).slots, r)
		of(s.Dt - slotHours*3600/2).wet = append(of(s.Dt-slotHours*3600/2).wet, r)
	}
	for _, at := range slices.Sorted(maps.Keys(days)) {
		if d := days[at]; len(d.slots) == slotsPerDay {
			rs = append(rs, d.summarize(time.Unix(at, 0).UTC()))
		}
	}
	return rs, cmp.Or(bad, odd)
}

// day is what the slots say of a local day. Rain, snow and their chance are those of the
// three hours before a slot's time, so that the slot at midnight tells of the day before. Of
// three hours across midnight, the day gets the slot that has the most of them.
type day struct {
	slots []reading.Reading // whose time is in the day
	wet   []reading.Reading // the middle of whose three hours is in the day
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

// summarize returns the weather_day reading of a day with all its slots: lowest and highest
// temperature, and highest chance and sums of precipitation. Of the latter it leaves out
// those that a slot lacks. at is the local midnight at which the day begins.
func (d *day) summarize(at time.Time) reading.Reading {
	fields := map[string]float64{}
	combine := func(slots []reading.Reading, key, from string, with func(a, b float64) float64) {
		for _, s := range slots {
			v, ok := s.Fields[from]
			if old, known := fields[key]; ok && known {
				v = with(old, v)
			}
			if ok {
				fields[key] = v
			}
		}
	}
	combine(d.slots, "low_celsius", "temperature_celsius", math.Min)
	combine(d.slots, "low_celsius", "low_celsius", math.Min)
	combine(d.slots, "high_celsius", "temperature_celsius", math.Max)
	combine(d.slots, "high_celsius", "high_celsius", math.Max)
	for key, with := range map[string]func(a, b float64) float64{"precipitation_chance_percent": math.Max, "rain_mm": add, "snow_mm": add} {
		lacks := slices.ContainsFunc(d.wet, func(r reading.Reading) bool { _, has := r.Fields[key]; return !has })
		if len(d.wet) == slotsPerDay && !lacks {
			combine(d.wet, key, key, with)
		}
	}
	return reading.Reading{Name: "weather_day", Fields: fields, Time: at}
}

// add rounds the sum to the two decimals that the upstream sends, so 0.1+0.2 is 0.3.
func add(a, b float64) float64 { return math.Round((a+b)*100) / 100 }
