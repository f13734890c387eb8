package function

import (
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
)

// sentinel is a value that a kind of sensor reports instead of a measurement: while it
// warms up, or at the end of its range.
type sentinel struct {
	key     string
	value   float64
	with    string // a second key that must have the value other; "": none
	other   float64
	quality quality.Quality
	reason  string
}

// sentinelsOf are the sentinels of each kind, from its datasheet and from the field.
// They are applied to payloads of the platform before hearth, and to edge readings
// that do not name their measurement. Other edge readings come from drivers that check
// for them.
var sentinelsOf = map[string][]sentinel{
	"sds011": {
		{"pm2_5_ugm3", 0, "pm10_ugm3", 0, quality.WarmingUp, "both values are 0: the fan is starting"},
		{"pm2_5_ugm3", 999.9, "", 0, quality.Suspect, "the sensor is saturated"},
		{"pm10_ugm3", 999.9, "", 0, quality.Suspect, "the sensor is saturated"},
		{"pm10_ugm3", 1999.9, "", 0, quality.Suspect, "the sensor is saturated"},
	},
	"mhz19b": {
		{"co2_ppm", 400, "", 0, quality.WarmingUp, "the sensor reports 400 while it warms up"},
		{"co2_ppm", 410, "", 0, quality.WarmingUp, "the sensor reports 410 while it warms up"},
		{"co2_ppm", 2000, "", 0, quality.Suspect, "the end of its range"},
		{"co2_ppm", 5000, "", 0, quality.Suspect, "the end of its range"},
	},
	"scd4x": {{"co2_ppm", 0, "", 0, quality.Suspect, "the sensor reports 0 when it has no measurement"}},
	"sgp30": {
		{"eco2_ppm", 400, "tvoc_ppb", 0, quality.WarmingUp, "the sensor reports 400 and 0 while it warms up"},
		{"eco2_ppm", 60000, "", 0, quality.Suspect, "the sensor is saturated"},
		{"tvoc_ppb", 60000, "", 0, quality.Suspect, "the sensor is saturated"},
	},
	"bme280": {{"humidity_percent", 100, "", 0, quality.Suspect, "the sensor is wet or broken"}, {"humidity_percent", 0, "", 0, quality.Suspect, "the bus returned no data"}},
	"dht22": {{"humidity_percent", 99.9, "", 0, quality.Suspect, "the end of its range"}, {"humidity_percent", 100, "", 0, quality.Suspect, "the end of its range"},
		{"humidity_percent", 0, "", 0, quality.Suspect, "the end of its range"}},
}

// markSentinels lowers the quality of values that are sentinels.
func markSentinels(kind string, values []device.Value, d *report) {
	for _, s := range sentinelsOf[kind] {
		v := findValue(values, s.key)
		if v == nil || v.V != s.value {
			continue
		}
		if s.with != "" {
			if other := findValue(values, s.with); other == nil || other.V != s.other {
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

func findValue(values []device.Value, key string) *device.Value {
	for i := range values {
		if values[i].Key == key {
			return &values[i]
		}
	}
	return nil
}
