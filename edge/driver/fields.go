package driver

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Field declares a number that drivers report: its key with the unit, its name
// for a person, and the range beyond which it cannot be right.
//
// A key may have a part's name in front: nvme_composite_temperature_celsius is
// a temperature_celsius, socket_2_power_watts a power_watts.
type Field struct {
	Key, Title, Unit string
	Min, Max         float64
}

const huge = 1e18 // a counter has no upper end worth naming

// Fields lists every number of every driver.
var Fields = []Field{
	{"pm1_ugm3", "PM1", "µg/m³", 0, 1000},
	{"pm2_5_ugm3", "PM2.5", "µg/m³", 0, 1000},
	{"pm10_ugm3", "PM10", "µg/m³", 0, 1000},
	{"particles_0_3um_per_dl", "Particles over 0.3 µm", "per 0.1 l", 0, 65535},
	{"particles_0_5um_per_dl", "Particles over 0.5 µm", "per 0.1 l", 0, 65535},
	{"particles_1um_per_dl", "Particles over 1 µm", "per 0.1 l", 0, 65535},
	{"particles_2_5um_per_dl", "Particles over 2.5 µm", "per 0.1 l", 0, 65535},
	{"particles_5um_per_dl", "Particles over 5 µm", "per 0.1 l", 0, 65535},
	{"particles_10um_per_dl", "Particles over 10 µm", "per 0.1 l", 0, 65535},

	{"co2_ppm", "CO2", "ppm", 350, 40000},
	{"eco2_ppm", "CO2 equivalent", "ppm", 400, 60000},
	{"tvoc_ppb", "Volatile compounds", "ppb", 0, 60000},
	{"temperature_celsius", "Temperature", "°C", -60, 150},
	{"humidity_percent", "Humidity", "%", 0, 100},
	{"pressure_hpa", "Air pressure", "hPa", 300, 1100},
	{"sea_level_pressure_hpa", "Air pressure at sea level", "hPa", 300, 1200},
	{"moisture_percent", "Soil moisture", "%", 0, 100},

	{"power_watts", "Power", "W", 0, 20000},
	{"voltage_volts", "Voltage", "V", 0, 1000},
	{"current_amperes", "Current", "A", 0, 100},
	{"energy_kwh", "Energy", "kWh", 0, huge},
	{"on", "Switched on", "", 0, 1},
	{"on_seconds", "Switched on for", "s", 0, huge},
	{"signal_dbm", "Wi-Fi signal", "dBm", -120, 0},

	{"battery_percent", "Battery", "%", 0, 100},
	{"load_percent", "Load", "%", 0, 150},
	{"runtime_seconds", "Battery lasts", "s", 0, 1e7},
	{"on_mains", "On mains", "", 0, 1},
	{"on_battery", "On battery", "", 0, 1},
	{"low_battery", "Battery low", "", 0, 1},
	{"replace_battery", "Battery to be replaced", "", 0, 1},
	{"charging", "Charging", "", 0, 1},
	{"discharging", "Discharging", "", 0, 1},
	{"bypass", "Bypass", "", 0, 1},
	{"calibrating", "Calibrating", "", 0, 1},
	{"overload", "Overloaded", "", 0, 1},
	{"trimming", "Trimming the voltage", "", 0, 1},
	{"boosting", "Boosting the voltage", "", 0, 1},
	{"output_off", "Output off", "", 0, 1},
	{"shutdown", "Forced shutdown", "", 0, 1},
	{"alarm", "Alarm", "", 0, 1},

	{"frequency_hertz", "Clock", "Hz", 0, 1e11},
	{"usage_percent", "Use", "%", 0, 100},
	{"load_1m", "Load over 1 min", "", 0, 1e6},
	{"load_5m", "Load over 5 min", "", 0, 1e6},
	{"load_15m", "Load over 15 min", "", 0, 1e6},
	{"memory_total_bytes", "Memory", "B", 0, huge},
	{"memory_available_bytes", "Memory free", "B", 0, huge},
	{"disk_size_bytes", "Disk", "B", 0, huge},
	{"disk_free_bytes", "Disk free", "B", 0, huge},
	{"read_bytes", "Read", "B", 0, huge},
	{"written_bytes", "Written", "B", 0, huge},
	{"received_bytes", "Received", "B", 0, huge},
	{"sent_bytes", "Sent", "B", 0, huge},
	{"network_errors", "Network errors", "", 0, huge},
	{"uptime_seconds", "Up for", "s", 0, huge},
	{"undervoltage", "Undervoltage", "", 0, 1},
	{"life_used_percent", "Life used", "%", 0, 110},
	{"fan_rpm", "Fan", "rpm", 0, 100000},
	{"memory_used_bytes", "Memory used", "B", 0, huge},
}

var byKey = func() map[string]Field {
	m := map[string]Field{}
	for _, f := range Fields {
		m[f.Key] = f
	}
	return m
}()

// FieldOf returns the declaration of a key, with or without the name of a part
// in front, by the longest ending that is declared.
func FieldOf(key string) (Field, bool) {
	for rest := key; ; {
		if f, ok := byKey[rest]; ok {
			return f, true
		}
		_, after, ok := strings.Cut(rest, "_")
		if !ok {
			return Field{}, false
		}
		rest = after
	}
}

// Guard flags what lies outside of the declared ranges.
func (s *Sample) Guard() {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if f, ok := FieldOf(k); ok && !(s.Fields[k] >= f.Min && s.Fields[k] <= f.Max) {
			s.Flag(Suspect, "%s is %g, outside of %g to %g", k, s.Fields[k], f.Min, f.Max)
		}
	}
}

// Check reports a key that is not declared.
func (s Sample) Check() error {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if _, ok := FieldOf(k); !ok {
			return fmt.Errorf("the field %s is not declared", k)
		}
	}
	return nil
}

// Part makes a name fit for the front of a key: "Core 0" becomes "core_0".
func Part(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	return strings.TrimSuffix(b.String(), "_")
}
