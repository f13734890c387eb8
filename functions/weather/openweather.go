package function

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/hearth-home/hearth/shared/fetch"
	"github.com/hearth-home/hearth/shared/place"
	"github.com/hearth-home/hearth/shared/reading"
)

// decoder decodes the body of an answer. Its readings have no place yet. With an error it
// may return those readings that are valid.
type decoder func(body []byte) ([]reading.Reading, error)

// query returns the URL of a call, in metric units. OpenWeather accepts its key only in
// the query string.
func (c Config) query(path string, p place.Place) *url.URL {
	u := c.URL.JoinPath(path)
	u.RawQuery = url.Values{
		"lat":   {strconv.FormatFloat(p.Latitude, 'f', -1, 64)},
		"lon":   {strconv.FormatFloat(p.Longitude, 'f', -1, 64)},
		"units": {"metric"},
		"appid": {c.Key.Reveal()},
	}.Encode()
	return u
}

// problem is the error in an answer of OpenWeather. cod is a number or a string; in a good
// answer it is 200 or absent.
type problem struct {
	Cod     json.Number `json:"cod"`
	Message any         `json:"message"` // a text; in a good forecast a number
}

// oddError says which value of an answer was left out. The others were read.
type oddError string

func (e oddError) Error() string { return "left out: " + string(e) }

// unmarshal decodes a good answer into v. It returns an error that OpenWeather reports as
// a *fetch.UpstreamError, and an oddError if the rest of the answer is in v.
func unmarshal(body []byte, v any) error {
	var p problem
	if _, err := fetch.Decode(body, &p); err != nil {
		return err
	}
	if p.Cod != "" && p.Cod != "200" {
		text, _ := p.Message.(string)
		code, _ := strconv.Atoi(p.Cod.String())
		return explained(hints[code], &fetch.UpstreamError{Host: "OpenWeather", Message: p.Cod.String() + " " + text, Spent: p.Cod == "429"})
	}
	odd, err := fetch.Decode(body, v)
	if odd != "" {
		return oddError(odd)
	}
	return err
}

// fatal returns nil for an oddError.
func fatal(err error) error {
	if _, odd := errors.AsType[oddError](err); odd {
		return nil
	}
	return err
}

// explained puts a hint, if there is one, before an error.
func explained(hint string, err error) error {
	if hint == "" {
		return err
	}
	return fmt.Errorf("%s: %w", hint, err)
}

// conditions are the fields that current weather and forecast have in common. A pointer is
// nil if OpenWeather sends no value.
type conditions struct {
	Dt   int64 `json:"dt"`
	Main struct {
		Temp      *float64 `json:"temp"`
		FeelsLike *float64 `json:"feels_like"`
		Min       *float64 `json:"temp_min"`
		Max       *float64 `json:"temp_max"`
		Pressure  *float64 `json:"pressure"`
		Humidity  *float64 `json:"humidity"`
	} `json:"main"`
	Wind struct {
		Speed *float64 `json:"speed"`
		Deg   *float64 `json:"deg"`
		Gust  *float64 `json:"gust"`
	} `json:"wind"`
	Clouds struct {
		All *float64 `json:"all"`
	} `json:"clouds"`
	Visibility *float64 `json:"visibility"`
	Rain       amount   `json:"rain"`
	Snow       amount   `json:"snow"`
	Sky        []struct {
		Main        string `json:"main"`
		Description string `json:"description"`
	} `json:"weather"`
}

// amount is in mm, of the time before dt. It is absent if there is no rain or snow.
type amount struct {
	LastHour   *float64 `json:"1h"` // current weather
	ThreeHours *float64 `json:"3h"` // forecast
}

// reading returns the common fields, or an error if the time or the temperature is
// missing.
func (c conditions) reading(name string) (reading.Reading, error) {
	if c.Dt <= 0 || c.Main.Temp == nil {
		return reading.Reading{}, errors.New("no dt or temperature in the answer")
	}
	r := reading.Reading{
		Name: name,
		Fields: present(map[string]*float64{
			"temperature_celsius":    c.Main.Temp,
			"feels_like_celsius":     c.Main.FeelsLike,
			"low_celsius":            c.Main.Min,
			"high_celsius":           c.Main.Max,
			"humidity_percent":       c.Main.Humidity,
			"pressure_hpa":           c.Main.Pressure,
			"wind_mps":               c.Wind.Speed,
			"gust_mps":               c.Wind.Gust,
			"wind_direction_degrees": c.Wind.Deg,
			"clouds_percent":         c.Clouds.All,
			"visibility_meters":      c.Visibility,
		}),
		Time: time.Unix(c.Dt, 0).UTC(),
	}
	if len(c.Sky) > 0 {
		r.Text = map[string]string{"summary": c.Sky[0].Main, "description": c.Sky[0].Description}
	}
	return r, nil
}

// present returns the values that are not nil. A value that the upstream does not send is
// absent, not 0.
func present(all map[string]*float64) map[string]float64 {
	fields := map[string]float64{}
	for k, v := range all {
		if v != nil {
			fields[k] = *v
		}
	}
	return fields
}

// decodeCurrent decodes https://openweathermap.org/current.
func decodeCurrent(body []byte) ([]reading.Reading, error) {
	var c conditions
	odd := unmarshal(body, &c)
	if err := fatal(odd); err != nil {
		return nil, err
	}
	r, err := c.reading("weather")
	if err != nil {
		return nil, err
	}
	for k, v := range present(map[string]*float64{"rain_last_hour_mm": c.Rain.LastHour, "snow_last_hour_mm": c.Snow.LastHour}) {
		r.Fields[k] = v
	}
	return []reading.Reading{r}, odd
}
