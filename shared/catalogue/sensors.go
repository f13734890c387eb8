package catalogue

import (
	"slices"
	"time"
)

// Quality is the field with the quality of a reading: 0 or absent ok, 1 warming up, 2
// suspect, 3 the clock was not set. Suspect is the text with the keys of the suspect
// fields, or "*" for all.
const (
	Quality = "quality_code"
	Suspect = "suspect"
)

var quality = Field{Key: Quality, Title: "Quality", Max: 3, Words: []string{"ok", "warming up", "suspect", "clock not set"}, Show: Hidden}

// QualityWord returns what a value of the field Quality means: "clock not set".
func QualityWord(code float64) string { return quality.Word(code) }

var _ = declare(Family{Function: "sensors", place: 90, About: "Readings of edge agents and Telegraf, and any JSON on MQTT by configuration", Measurements: []Measurement{
	{
		Name: "air", About: "Air and climate in and around the house",
		Kinds:   []string{"sds011", "pms5003", "mhz19b", "scd4x", "bme280", "sgp30", "dht22"},
		Devices: edgeAndMapped, Labels: deviceLabels, Text: []string{Suspect}, Cadence: 10 * time.Minute, Keep: KeepMonths, Parts: true,
		Fields: []Field{
			{Key: "temperature_celsius", Title: "Temperature", Unit: "°C", Min: -60, Max: 85, Step: 5, Alerts: roomTemperature()},
			{Key: "co2_ppm", Title: "CO₂", Unit: "ppm", Min: 350, Max: 40000, Step: 2000, Warn: co2()},
			{Key: "eco2_ppm", Title: "CO₂ equivalent", Unit: "ppm", Min: 400, Max: 60000},
			{Key: "pm2_5_ugm3", Title: "PM2.5", Unit: "µg/m³", Max: 1000, Warn: particles(50, 10)},
			{Key: "humidity_percent", Title: "Humidity", Unit: "%", Max: 100, Step: 20, Alerts: roomHumidity()},
			{Key: "pressure_hpa", Title: "Air pressure", Unit: "hPa", Min: 300, Max: 1100, Step: 20},
			{Key: "pm10_ugm3", Title: "PM10", Unit: "µg/m³", Max: 1000, Warn: particles(75, 15)},
			{Key: "pm1_ugm3", Title: "PM1", Unit: "µg/m³", Max: 1000},
			{Key: "tvoc_ppb", Title: "Volatile compounds", Unit: "ppb", Max: 60000},
			{Key: "heating_kelvin", Title: "Exhaust above intake", Unit: "K", Min: -100, Max: 100},
			{Key: "sea_level_pressure_hpa", Title: "Air pressure at sea level", Unit: "hPa", Min: 300, Max: 1200, Step: 20},
			{Key: "particles_0_3um_per_dl", Title: "Particles over 0.3 µm", Unit: "per 0.1 l", Max: 65535, Show: Hidden},
			{Key: "particles_0_5um_per_dl", Title: "Particles over 0.5 µm", Unit: "per 0.1 l", Max: 65535, Show: Hidden},
			{Key: "particles_1um_per_dl", Title: "Particles over 1 µm", Unit: "per 0.1 l", Max: 65535, Show: Hidden},
			{Key: "particles_2_5um_per_dl", Title: "Particles over 2.5 µm", Unit: "per 0.1 l", Max: 65535, Show: Hidden},
			{Key: "particles_5um_per_dl", Title: "Particles over 5 µm", Unit: "per 0.1 l", Max: 65535, Show: Hidden},
			{Key: "particles_10um_per_dl", Title: "Particles over 10 µm", Unit: "per 0.1 l", Max: 65535, Show: Hidden},
			quality,
		},
	},
	{
		Name: "soil", About: "How moist the soil of plants is",
		Kinds:   []string{"soil"},
		Devices: edgeAndMapped, Labels: deviceLabels, Text: []string{Suspect}, Cadence: time.Hour, Keep: KeepMonths, Parts: true,
		Fields: []Field{
			{Key: "moisture_percent", Title: "Soil moisture", Unit: "%", Max: 100},
			{Key: "voltage_volts", Title: "Probe voltage", Unit: "V", Max: 5.5},
			quality,
		},
	},
	{
		Name: "power", About: "What plugs and meters draw",
		Kinds:   []string{"kasa"},
		Devices: edgeAndMapped, Labels: deviceLabels, Text: []string{Suspect}, Cadence: 5 * time.Minute, Keep: KeepMonths, Parts: true,
		Fields: append(electricity(Field{Key: "on", Title: "Switched", Max: 1, Words: []string{"off", "on"}}),
			Field{Key: "on_seconds", Title: "Switched on for", Unit: "s", Max: Limits},
			Field{Key: "signal_dbm", Title: "Wi-Fi signal", Unit: "dBm", Min: -120, Show: Small},
			quality),
	},
	{
		Name: "ups", About: "Uninterruptible power supplies",
		Kinds:   []string{"nut"},
		Devices: edgeAndMapped, Labels: deviceLabels, Text: []string{"status", "test_result", "model", Suspect}, Cadence: 5 * time.Minute, Keep: KeepMonths, Parts: true,
		Fields: append(electricity(append([]Field{
			{Key: "load_percent", Title: "Load", Unit: "%", Max: 150, Warn: above(50, 5, Threshold{Next: "Plug something out of it: with this load its battery does not last long.", For: 15 * time.Minute, Channel: hardware})},
			{Key: "battery_percent", Title: "Battery", Unit: "%", Max: 100},
			{Key: "runtime_seconds", Title: "Battery lasts", Unit: "s", Max: 1e7},
		}, flags()...)...),
			Field{Key: "nominal_power_watts", Title: "Nominal power", Unit: "W", Max: 20000},
			Field{Key: "low_battery_percent", Title: "Battery counts as low at", Unit: "%", Max: 100},
			Field{Key: "frequency_hertz", Title: "Mains frequency", Unit: "Hz", Max: 1000},
			Field{Key: "temperature_celsius", Title: "Temperature", Unit: "°C", Min: -60, Max: 150},
			quality),
	},
	{
		Name: "host", About: "Computers: load, memory, disks, temperatures",
		Kinds:   []string{"host"},
		Devices: []string{"edge", "mapped", "node"}, Labels: deviceLabels, Text: []string{Suspect}, Cadence: 5 * time.Minute, Keep: KeepDays, Parts: true,
		Fields: []Field{
			{Key: "cpu_usage_percent", Title: "CPU use", Unit: "%", Max: 100},
			{Key: "temperature_celsius", Title: "Temperature", Unit: "°C", Min: -60, Max: 150},
			{Key: "usage_percent", Title: "Use", Unit: "%", Max: 100},
			{Key: "load_1m", Title: "Load over 1 min", Max: 1e6},
			{Key: "memory_used_bytes", Title: "Memory used", Unit: "B", Max: Limits},
			{Key: "memory_available_bytes", Title: "Memory free", Unit: "B", Max: Limits},
			{Key: "power_watts", Title: "Power", Unit: "W", Max: 20000},
			{Key: "fan_rpm", Title: "Fan", Unit: "rpm", Max: 100000},
			{Key: "frames_per_second", Title: "Frames", Unit: "1/s", Max: 10000},
			{Key: "undervoltage", Title: "Undervoltage", Max: 1, Warn: flag(Threshold{Next: "Use a stronger power supply or a shorter cable.", ClearFor: 10 * time.Minute})},
			{Key: "life_used_percent", Title: "Life used", Unit: "%", Max: 110, Warn: above(90, 1, Threshold{Next: "Replace the disk soon."})},
			{Key: "uptime_seconds", Title: "Up for", Unit: "s", Max: Limits},
			{Key: "frequency_hertz", Title: "Clock", Unit: "Hz", Max: 1e11},
			{Key: "cores", Title: "Cores", Max: 4096},
			{Key: "load_5m", Title: "Load over 5 min", Max: 1e6},
			{Key: "load_15m", Title: "Load over 15 min", Max: 1e6},
			{Key: "memory_total_bytes", Title: "Memory", Unit: "B", Max: Limits},
			{Key: "disk_size_bytes", Title: "Disk", Unit: "B", Max: Limits},
			{Key: "disk_free_bytes", Title: "Disk free", Unit: "B", Max: Limits},
			{Key: "read_bytes", Title: "Read", Unit: "B", Max: Limits},
			{Key: "written_bytes", Title: "Written", Unit: "B", Max: Limits},
			{Key: "received_bytes", Title: "Received", Unit: "B", Max: Limits},
			{Key: "sent_bytes", Title: "Sent", Unit: "B", Max: Limits},
			{Key: "read_bytes_per_second", Title: "Read", Unit: "B/s", Max: Limits},
			{Key: "written_bytes_per_second", Title: "Written", Unit: "B/s", Max: Limits},
			{Key: "received_bytes_per_second", Title: "Received", Unit: "B/s", Max: Limits},
			{Key: "sent_bytes_per_second", Title: "Sent", Unit: "B/s", Max: Limits},
			{Key: "network_errors", Title: "Network errors", Max: Limits},
			quality,
		},
	},
	{
		Name: "custom", About: "What hearth.yml maps without naming a measurement",
		Devices: []string{"mapped"}, Labels: deviceLabels, Text: []string{Suspect}, Keep: KeepMonths, Open: true, Fields: []Field{quality},
	},
	{
		Name: "telegraf", About: "What Telegraf reports and TELEGRAF_ALLOW lets in, beside the fields of host",
		Devices: []string{"mapped"}, Labels: deviceLabels, Text: []string{Suspect}, Keep: KeepDays, Open: true, Fields: []Field{quality},
	},
	{
		Name: "canary", About: "A message a minute from the connector through broker and function to the store",
		Labels: []string{"connector"}, Cadence: time.Minute, Keep: KeepDays,
		Fields: []Field{{Key: "latency_seconds", Title: "From publishing to the store", Unit: "s", Max: 1e7}},
	},
}})

// electricity returns the fields of a meter: power, the others, then the rest.
func electricity(others ...Field) []Field {
	power := Field{Key: "power_watts", Title: "Power", Unit: "W", Min: -20000, Max: 20000}
	return slices.Concat([]Field{power}, others, []Field{
		{Key: "energy_kwh", Title: "Energy", Unit: "kWh", Max: Limits, Counter: true},
		{Key: "voltage_volts", Title: "Voltage", Unit: "V", Max: 1000},
		{Key: "current_amperes", Title: "Current", Unit: "A", Min: -100, Max: 100},
		{Key: "energy_delta_kwh", Title: "Energy since the reading before", Unit: "kWh", Max: Limits},
	})
}

// flags returns the states of a UPS, each 0 or 1.
func flags() []Field {
	warn := func(next string) Threshold { return flag(Threshold{Next: next}) }
	critical := func(next string) Threshold { return flag(Threshold{Next: next, Critical: true}) }
	onBattery := warn("The mains are off. Look whether it is only a fuse.")
	linkLost := warn("Check the cable between the UPS and its computer: nothing is known of the UPS meanwhile.")
	linkLost.For = time.Minute       // a server that has just begun has no data yet
	onBattery.Except = "calibrating" // a self-test
	var out []Field
	for _, f := range []struct {
		key, title string
		warn       Threshold
	}{
		{"on_battery", "On battery", onBattery}, {"on_mains", "On mains", Threshold{}},
		{"low_battery", "Battery low", critical("What it feeds goes off soon: shut it down.")},
		{"replace_battery", "Battery to be replaced", warn("Order a battery.")},
		{"charging", "Charging", Threshold{}}, {"discharging", "Discharging", Threshold{}},
		{"bypass", "Bypass", warn("The battery does not protect what it feeds: switch the bypass off.")}, {"calibrating", "Calibrating", Threshold{}},
		{"overload", "Overloaded", critical("Plug something out of it at once.")},
		{"trimming", "Trimming the voltage", Threshold{}}, {"boosting", "Boosting the voltage", Threshold{}},
		{"output_off", "Output off", warn("Switch it on: what it feeds has no power.")},
		{"shutdown", "Forced shutdown", critical("The UPS switches off.")}, {"alarm", "Alarm", warn("See its display for the reason.")},
		{"link_lost", "Link to the UPS lost", linkLost},
	} {
		out = append(out, Field{Key: f.key, Title: f.title, Max: 1, Warn: f.warn})
	}
	return out
}
