package function

import (
	"errors"
	"math"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/reading"
)

// pollution is an answer of https://openweathermap.org/api/air-pollution, as far as we
// use it. Concentrations are in µg/m³.
type pollution struct {
	List []struct {
		Dt   int64 `json:"dt"`
		Main struct {
			AQI *float64 `json:"aqi"` // OpenWeather's own scale, 1 good to 5 very poor
		} `json:"main"`
		Components struct {
			CO   *float64 `json:"co"`
			NO   *float64 `json:"no"`
			NO2  *float64 `json:"no2"`
			O3   *float64 `json:"o3"`
			SO2  *float64 `json:"so2"`
			PM25 *float64 `json:"pm2_5"`
			PM10 *float64 `json:"pm10"`
			NH3  *float64 `json:"nh3"`
		} `json:"components"`
	} `json:"list"`
}

// decodeAir returns one outdoor_air reading: the concentrations and the US AQI.
func decodeAir(body []byte) ([]reading.Reading, error) {
	var p pollution
	odd := unmarshal(body, &p)
	if err := fatal(odd); err != nil {
		return nil, err
	}
	if len(p.List) == 0 || p.List[0].Dt <= 0 {
		return nil, errors.New("no list or no dt in the answer")
	}
	now := p.List[0]
	fields := present(map[string]*float64{
		"co_ugm3":    measured(now.Components.CO),
		"no_ugm3":    measured(now.Components.NO),
		"no2_ugm3":   measured(now.Components.NO2),
		"o3_ugm3":    measured(now.Components.O3),
		"so2_ugm3":   measured(now.Components.SO2),
		"pm2_5_ugm3": measured(now.Components.PM25),
		"pm10_ugm3":  measured(now.Components.PM10),
		"nh3_ugm3":   measured(now.Components.NH3),
	})
	if len(fields) == 0 {
		return nil, errors.New("no concentration in the answer")
	}
	if aqi, ok := usAQI(inRange("outdoor_air", fields)); ok {
		fields["us_aqi"] = aqi
	}
	if now.Main.AQI != nil {
		fields["openweather_index"] = *now.Main.AQI
	}
	return []reading.Reading{{Name: "outdoor_air", Fields: fields, Time: time.Unix(now.Dt, 0).UTC()}}, odd
}

// inRange returns the fields of a measurement that will be stored: one outside of its range
// must not decide what is computed from several.
func inRange(name string, fields map[string]float64) map[string]float64 {
	m, _ := catalogue.Get(name)
	out := map[string]float64{}
	for k, v := range fields {
		if f, ok := m.Field(k); ok && v >= f.Min && v <= f.Max {
			out[k] = v
		}
	}
	return out
}

// measured returns nil for a negative concentration: OpenWeather sends -9999 if its model
// has no value.
func measured(v *float64) *float64 {
	if v == nil || *v < 0 {
		return nil
	}
	return v
}

// scale converts the concentration of one pollutant to the US AQI.
type scale struct {
	field   string
	convert float64 // factor from µg/m³ to the unit of the table
	steps   []step  // in ascending order
}

// step is a row of the table: concentrations from low to high have an AQI from lowAQI to
// highAQI.
type step struct{ low, high, lowAQI, highAQI float64 }

// molar is the volume of a mole of gas at 25 °C and 1013 hPa in litres: µg/m³ times molar
// by the molar mass is ppb. The tables are in ppb for O3, NO2 and SO2, in 0.1 ppm for
// CO, in 0.1 µg/m³ for PM2.5 and in µg/m³ for PM10. All limits are then whole numbers,
// and the truncation that EPA asks for is math.Floor.
const molar = 24.45

// scales are EPA's breakpoints of May 2024 (40 CFR 58 appendix G, table 2;
// Technical Assistance Document EPA-454/B-24-002, table 6). Ozone uses the
// 8-hour table up to its end at 200 ppb and the 1-hour table from 405 ppb. In between,
// the 1-hour table gives less than 300, so the AQI stays at 300.
var scales = []scale{
	{"pm2_5_ugm3", 10, []step{{0, 90, 0, 50}, {91, 354, 51, 100}, {355, 554, 101, 150}, {555, 1254, 151, 200}, {1255, 2254, 201, 300}, {2255, 3254, 301, 500}}},
	{"pm10_ugm3", 1, []step{{0, 54, 0, 50}, {55, 154, 51, 100}, {155, 254, 101, 150}, {255, 354, 151, 200}, {355, 424, 201, 300}, {425, 604, 301, 500}}},
	{"o3_ugm3", molar / 48.00, []step{{0, 54, 0, 50}, {55, 70, 51, 100}, {71, 85, 101, 150}, {86, 105, 151, 200}, {106, 200, 201, 300}, {201, 404, 300, 300}, {405, 604, 301, 500}}},
	{"no2_ugm3", molar / 46.01, []step{{0, 53, 0, 50}, {54, 100, 51, 100}, {101, 360, 101, 150}, {361, 649, 151, 200}, {650, 1249, 201, 300}, {1250, 2049, 301, 500}}},
	{"so2_ugm3", molar / 64.07, []step{{0, 35, 0, 50}, {36, 75, 51, 100}, {76, 185, 101, 150}, {186, 304, 151, 200}, {305, 604, 201, 300}, {605, 1004, 301, 500}}},
	{"co_ugm3", molar / 28.01 / 100, []step{{0, 44, 0, 50}, {45, 94, 51, 100}, {95, 124, 101, 150}, {125, 154, 151, 200}, {155, 304, 201, 300}, {305, 504, 301, 500}}},
}

// usAQI returns the US air quality index for concentrations in µg/m³: the highest index
// of a single pollutant. ok is false without any of the six pollutants of the index. It
// changes faster than the official index, which uses means over 1 to 24 hours
// (AirNow's NowCast).
func usAQI(ugm3 map[string]float64) (aqi float64, ok bool) {
	for _, s := range scales {
		if v, found := ugm3[s.field]; found {
			aqi, ok = max(aqi, s.index(v*s.convert)), true
		}
	}
	return aqi, ok
}

// index interpolates linearly in the step that contains c. Above the last step it
// extrapolates that step.
func (s scale) index(c float64) float64 {
	c = math.Floor(c + 1e-6) // 1e-6 corrects rounding errors just below a whole number
	at := s.steps[len(s.steps)-1]
	for _, step := range s.steps {
		if c <= step.high {
			at = step
			break
		}
	}
	return math.Round(at.lowAQI + (at.highAQI-at.lowAQI)/(at.high-at.low)*(c-at.low))
}
