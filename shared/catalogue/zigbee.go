package catalogue

import "time"

// A Zigbee device declares itself what it measures. The fields here are common ones,
// for their titles, words and ranges.
var _ = declare(Family{Function: "zigbee", place: 80, About: "Every Zigbee device, by Zigbee2MQTT", Measurements: []Measurement{
	{
		Name: "zigbee", About: "Zigbee devices, by Zigbee2MQTT",
		Devices: []string{"zigbee", "bridge"}, Labels: deviceLabels, Text: []string{Suspect}, Keep: KeepMonths, Open: true,
		Fields: []Field{
			{Key: "water_leak", Title: "Water leak", Max: 1, Words: []string{"dry", "leak"}, Warn: danger("Close the water tap.")},
			{Key: "smoke", Title: "Smoke", Max: 1, Words: []string{"clear", "smoke"}, Warn: danger("Look at once. Call the fire brigade if it burns.")},
			{Key: "gas", Max: 1, Words: []string{"clear", "gas"}, Warn: danger("Close the gas tap, open the windows, use no switch and no fire.")},
			{Key: "carbon_monoxide", Max: 1, Words: []string{"clear", "carbon monoxide"}, Warn: danger("Open the windows and leave the house. Call the fire brigade.")},
			{Key: "contact", Title: "Contact", Max: 1, Words: []string{"open", "closed"},
				Alerts: []Threshold{below(0.5, 0, Threshold{Rule: "contact-open", Title: "Open", Next: "Close it.", For: 10 * time.Minute, Channel: security, Away: AwayCritical})}},
			{Key: "occupancy", Title: "Motion", Max: 1, Words: []string{"still", "motion"}, Alerts: intruder()},
			{Key: "presence", Max: 1, Words: []string{"nobody", "somebody"}, Alerts: intruder()},
			{Key: "motion", Max: 1, Words: []string{"still", "motion"}, Alerts: intruder()},
			{Key: "vibration", Max: 1, Words: []string{"still", "shaking"}},
			{Key: "temperature_celsius", Title: "Temperature", Unit: "°C", Min: -60, Max: 150, Step: 5, Alerts: roomTemperature()},
			{Key: "co2_ppm", Title: "CO₂", Unit: "ppm", Max: 40000, Step: 2000, Warn: co2()},
			{Key: "power_watts", Title: "Power", Unit: "W", Min: -20000, Max: 20000},
			{Key: "soil_moisture_percent", Title: "Soil moisture", Unit: "%", Max: 100},
			{Key: "state", Title: "Switched", Max: 1, Words: []string{"off", "on"}},
			{Key: "humidity_percent", Title: "Humidity", Unit: "%", Max: 100, Step: 20, Alerts: roomHumidity()},
			{Key: "pm25_ugm3", Title: "PM2.5", Unit: "µg/m³", Max: 1000, Warn: particles(50, 10)},
			{Key: "pm10_ugm3", Title: "PM10", Unit: "µg/m³", Max: 1000, Warn: particles(75, 15)},
			{Key: "illuminance_lux", Title: "Light", Unit: "lx", Max: 200000},
			{Key: "energy_kwh", Title: "Energy", Unit: "kWh", Max: Limits, Counter: true},
			{Key: "pressure_hpa", Title: "Air pressure", Unit: "hPa", Min: 300, Max: 1100, Step: 20},
			{Key: "voltage_volts", Title: "Voltage", Unit: "V", Max: 1000, Show: Behind},
			{Key: "current_amperes", Title: "Current", Unit: "A", Min: -100, Max: 100, Show: Behind},
			{Key: "tamper", Max: 1, Show: Behind, Warn: danger("Somebody has opened or moved the sensor: look.")},
			{Key: "battery_low", Title: "Battery low", Max: 1, Words: []string{"fine", "low"}, Show: Behind,
				Warn: flag(Threshold{Rule: "battery-flag", Next: "Replace the battery.", Instead: "battery_percent"})},
			{Key: "battery_percent", Title: "Battery", Unit: "%", Max: 100, Warn: below(15, 10, Threshold{Title: "Battery low", Next: "Replace the battery."}), Show: Small},
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

// danger is the threshold of a detector: critical, at once.
func danger(next string) Threshold {
	return flag(Threshold{Next: next, Critical: true, Channel: security})
}

// intruder is the threshold of motion while nobody is at home.
func intruder() []Threshold {
	return []Threshold{flag(Threshold{Rule: "away-motion", Title: "Somebody is there", Next: "Look who it is.", Channel: security, Away: AwayOnly})}
}
