package catalogue

// What a Zigbee device measures is for it to say: the fields here are those that
// nearly every house has, for their titles and ranges.
var zigbee = []Measurement{
	{
		Name: "zigbee", About: "Zigbee devices, by Zigbee2MQTT", Function: "zigbee",
		Labels: deviceLabels, Text: []string{Suspect}, Keep: KeepMonths, Open: true,
		Fields: []Field{
			{Key: "temperature_celsius", Title: "Temperature", Unit: "°C", Min: -60, Max: 150, Step: 5},
			{Key: "humidity_percent", Title: "Humidity", Unit: "%", Max: 100, Step: 20},
			{Key: "pressure_hpa", Title: "Air pressure", Unit: "hPa", Min: 300, Max: 1100, Step: 20},
			{Key: "co2_ppm", Title: "CO₂", Unit: "ppm", Max: 40000, Step: 2000},
			{Key: "soil_moisture_percent", Title: "Soil moisture", Unit: "%", Max: 100},
			{Key: "illuminance_lux", Title: "Light", Unit: "lx", Max: 200000},
			{Key: "battery_percent", Title: "Battery", Unit: "%", Max: 100, Warn: Threshold{Below: 15, HasBelow: true, Hysteresis: 5}},
			{Key: "linkquality", Title: "Link quality", Max: 255},
			{Key: "power_watts", Title: "Power", Unit: "W", Min: -20000, Max: 20000},
			{Key: "voltage_volts", Title: "Voltage", Unit: "V", Max: 1000},
			{Key: "current_amperes", Title: "Current", Unit: "A", Min: -100, Max: 100},
			{Key: "energy_kwh", Title: "Energy", Unit: "kWh", Max: Limits, Counter: true},
			{Key: "energy_delta_kwh", Title: "Energy since the reading before", Unit: "kWh", Max: Limits},
			{Key: "contact", Title: "Contact (0 is open)", Max: 1},
			{Key: "occupancy", Title: "Motion", Max: 1},
			{Key: "water_leak", Title: "Water leak", Max: 1, Warn: Threshold{Above: 0.5, HasAbove: true}},
			{Key: "smoke", Title: "Smoke", Max: 1, Warn: Threshold{Above: 0.5, HasAbove: true}},
			{Key: "battery_low", Title: "Battery low", Max: 1, Warn: Threshold{Above: 0.5, HasAbove: true}},
			{Key: "available", Title: "Available", Max: 1},
			quality,
		},
	},
	{
		Name: "zigbee_action", About: "Buttons pressed and knobs turned, by Zigbee2MQTT", Function: "zigbee",
		Labels: deviceLabels, Text: []string{"action"}, Keep: KeepYears,
		Fields: []Field{{Key: "presses", Title: "Presses", Max: 1}},
	},
}
