package function

import (
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
)

// sentinel is a value that a kind of sensor gives when it has none: while it
// warms up, or at the end of its range.
type sentinel struct {
	key     string
	value   float64
	with    string  // another key that must have withValue, "" for none
	other   float64 // its value
	quality quality.Quality
	reason  string
}

// The codes of each sensor, as in its datasheet and as seen in the field. They are
// looked for in what the platform before hearth says and in edge readings that do not
// say their measurement; the drivers of the others know their own sensor's.
var sentinelsOf = map[string][]sentinel{
	"sds011": {
		{"pm2_5_ugm3", 0, "pm10_ugm3", 0, quality.WarmingUp, "both values are 0: the fan has just begun"},
		{"pm2_5_ugm3", 999.9, "", 0, quality.Suspect, "the sensor is saturated"},
		{"pm10_ugm3", 999.9, "", 0, quality.Suspect, "the sensor is saturated"},
		{"pm10_ugm3", 1999.9, "", 0, quality.Suspect, "the sensor is saturated"},
	},
	"mhz19b": {
		{"co2_ppm", 400, "", 0, quality.WarmingUp, "400 is what it says while it heats"},
		{"co2_ppm", 410, "", 0, quality.WarmingUp, "410 is what it says while it heats"},
		{"co2_ppm", 2000, "", 0, quality.Suspect, "the end of its range"},
		{"co2_ppm", 5000, "", 0, quality.Suspect, "the end of its range"},
	},
	"scd4x": {{"co2_ppm", 0, "", 0, quality.Suspect, "0 is no measurement"}},
	"sgp30": {
		{"eco2_ppm", 400, "tvoc_ppb", 0, quality.WarmingUp, "400 and 0 are what it says at first"},
		{"eco2_ppm", 60000, "", 0, quality.Suspect, "the sensor is saturated"},
		{"tvoc_ppb", 60000, "", 0, quality.Suspect, "the sensor is saturated"},
	},
	"bme280": {{"humidity_percent", 100, "", 0, quality.Suspect, "wet, or broken"}, {"humidity_percent", 0, "", 0, quality.Suspect, "the bus gave nothing"}},
	"dht22": {{"humidity_percent", 99.9, "", 0, quality.Suspect, "the end of its range"}, {"humidity_percent", 100, "", 0, quality.Suspect, "the end of its range"},
		{"humidity_percent", 0, "", 0, quality.Suspect, "the end of its range"}},
}

// sentinels lowers the quality of what is no measurement.
func sentinels(kind string, values []device.Value, d *said) {
	for _, s := range sentinelsOf[kind] {
		v := find(values, s.key)
		if v == nil || v.V != s.value {
			continue
		}
		if s.with != "" {
			if other := find(values, s.with); other == nil || other.V != s.other {
				continue
			}
		}
		switch {
		case s.quality == quality.Suspect:
			v.Bad = s.reason
		case d.quality == quality.OK:
			d.quality, d.reason = s.quality, s.reason
		}
	}
}

func find(values []device.Value, key string) *device.Value {
	for i := range values {
		if values[i].Key == key {
			return &values[i]
		}
	}
	return nil
}
