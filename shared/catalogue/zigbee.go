package catalogue

// A Zigbee device declares itself what it measures. The fields here are common ones,
// for their titles, words and ranges.
var _ = declare(Family{Function: "zigbee", place: 80, About: "Every Zigbee device, by Zigbee2MQTT", Measurements: []Measurement{
	{
		Name: "zigbee", About: "Zigbee devices, by Zigbee2MQTT",
		Devices: []string{"zigbee", "bridge"}, Labels: deviceLabels, Text: []string{Suspect}, Keep: KeepMonths, Open: true,
		Fields: []Field{
			{Key: "water_leak", Title: "Water leak", Max: 1, Words: []string{"dry", "leak"}, Warn: Threshold{Above: 0.5, HasAbove: true}},
			{Key: "smoke", Title: "Smoke", Max: 1, Words: []string{"clear", "smoke"}, Warn: Threshold{Above: 0.5, HasAbove: true}},
			{Key: "gas", Max: 1, Words: []string{"clear", "gas"}},
			{Key: "contact", Title: "Contact", Max: 1, Words: []string{"open", "closed"}},
			{Key: "occupancy", Title: "Motion", Max: 1, Words: []string{"still", "motion"}},
			{Key: "presence", Max: 1, Words: []string{"nobody", "somebody"}},
			{Key: "motion", Max: 1, Words: []string{"still", "motion"}},
			{Key: "vibration", Max: 1, Words: []string{"still", "shaking"}},
			{Key: "temperature_celsius", Title: "Temperature", Unit: "°C", Min: -60, Max: 150, Step: 5},
			{Key: "co2_ppm", Title: "CO₂", Unit: "ppm", Max: 40000, Step: 2000},
			{Key: "power_watts", Title: "Power", Unit: "W", Min: -20000, Max: 20000},
			{Key: "soil_moisture_percent", Title: "Soil moisture", Unit: "%", Max: 100},
			{Key: "state", Title: "Switched", Max: 1, Words: []string{"off", "on"}},
			{Key: "humidity_percent", Title: "Humidity", Unit: "%", Max: 100, Step: 20},
			{Key: "illuminance_lux", Title: "Light", Unit: "lx", Max: 200000},
			{Key: "energy_kwh", Title: "Energy", Unit: "kWh", Max: Limits, Counter: true},
			{Key: "pressure_hpa", Title: "Air pressure", Unit: "hPa", Min: 300, Max: 1100, Step: 20},
			{Key: "voltage_volts", Title: "Voltage", Unit: "V", Max: 1000, Show: Behind},
			{Key: "current_amperes", Title: "Current", Unit: "A", Min: -100, Max: 100, Show: Behind},
			{Key: "tamper", Max: 1, Show: Behind},
			{Key: "battery_low", Title: "Battery low", Max: 1, Words: []string{"fine", "low"}, Warn: Threshold{Above: 0.5, HasAbove: true}, Show: Behind},
			{Key: "battery_percent", Title: "Battery", Unit: "%", Max: 100, Warn: Threshold{Below: 15, HasBelow: true, Hysteresis: 5}, Show: Small},
			{Key: "linkquality", Title: "Link", Max: 255, Show: Small},
			{Key: "available", Title: "Available", Max: 1, Show: Reachable},
			{Key: "energy_delta_kwh", Title: "Energy since the reading before", Unit: "kWh", Max: Limits},
			quality,
		},
	},
	{
		Name: "zigbee_action", About: "Buttons pressed and knobs turned, by Zigbee2MQTT",
		Devices: []string{"zigbee"}, Labels: deviceLabels, Text: []string{"action"}, Keep: KeepYears,
		Fields: []Field{{Key: "presses", Title: "Presses", Max: 1}},
	},
}})
