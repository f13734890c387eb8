package main

// climate is the dashboard of air and climate, inside and outside.
func climate() *page {
	p := &page{uid: "climate", title: "Air and climate", about: "Rooms and outdoors: temperature, humidity, CO₂, fine particles, weather"}
	metrics := metric("temperature_celsius", "humidity_percent", "co2_ppm", "eco2_ppm", "pm1_ugm3", "pm2_5_ugm3", "pm25_ugm3", "pm10_ugm3", "pressure_hpa", "tvoc_ppb", "moisture_percent", "soil_moisture_percent")
	p.variables = append(p.variables, rooms(metrics), devices("device", "Device", metrics))
	p.open("Rooms")
	p.show("device", 8, 7, climateNow...)
	p.open("Rooms, course")
	for _, q := range climateNow {
		q.title, q.draw = q.title+", course", plot
		p.show("device", 12, 8, q)
	}
	p.open("Outdoors")
	p.show("", 4, 6, outdoors...)
	p.show("", 12, 8,
		quantity{title: "Outdoor temperature, course", fields: []string{"weather.temperature_celsius", "weather.feels_like_celsius"}, draw: plot},
		quantity{title: "Outdoor particles, course", fields: []string{"outdoor_air.pm2_5_ugm3", "outdoor_air.pm10_ugm3"}, draw: plot},
	)
	p.add(12, 8, forecast())
	p.add(12, 8, daysToCome())
	for _, m := range measurements("air", "soil", "weather", "outdoor_air", "weather_forecast", "weather_day") {
		p.numbers(m)
	}
	return p
}

// quantity is a panel of the same quantity in several measurements.
type quantity struct {
	title, about string
	fields       []string
	draw         drawing
	where        string // further condition on r
	fn           string // of a window; "": mean
}

var climateNow = []quantity{
	{title: "Temperature", fields: []string{"air.temperature_celsius", "zigbee.temperature_celsius"}, draw: number},
	{title: "Humidity", fields: []string{"air.humidity_percent", "zigbee.humidity_percent"}, draw: levels},
	{title: "CO₂", fields: []string{"air.co2_ppm", "zigbee.co2_ppm"}, draw: levels},
	{title: "PM2.5", fields: []string{"air.pm2_5_ugm3", "zigbee.pm25_ugm3"}, draw: levels},
	{title: "PM10", fields: []string{"air.pm10_ugm3", "zigbee.pm10_ugm3"}, draw: levels},
	{title: "Air pressure", fields: []string{"air.pressure_hpa", "zigbee.pressure_hpa"}, draw: number},
}

var outdoors = []quantity{
	{title: "Outdoor temperature", fields: []string{"weather.temperature_celsius"}, draw: number},
	{title: "Feels like", fields: []string{"weather.feels_like_celsius"}, draw: number},
	{title: "Outdoor humidity", fields: []string{"weather.humidity_percent"}, draw: ring},
	{title: "Wind", about: "In m/s", fields: []string{"weather.wind_mps"}, draw: number},
	{title: "Outdoor PM2.5", fields: []string{"outdoor_air.pm2_5_ugm3"}, draw: number},
	{title: "Outdoor PM10", fields: []string{"outdoor_air.pm10_ugm3"}, draw: number},
	{title: "US AQI", fields: []string{"outdoor_air.us_aqi"}, draw: ring},
	{title: "Barometric pressure", about: "At sea level", fields: []string{"weather.pressure_hpa"}, draw: number},
}
