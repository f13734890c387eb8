package main

// climate is the dashboard of air and climate, inside and outside.
func climate() *page {
	p := &page{uid: "climate", title: "Air and climate", about: "Rooms and outdoors: temperature, humidity, CO₂, fine particles"}
	metrics := metric("temperature_celsius", "humidity_percent", "co2_ppm", "eco2_ppm", "pm1_ugm3", "pm2_5_ugm3", "pm25_ugm3", "pm10_ugm3", "pressure_hpa", "tvoc_ppb", "moisture_percent", "soil_moisture_percent", "illuminance_lux")
	p.variables = append(p.variables, rooms(metrics), devices("device", "Device", metrics))

	p.open("Now")
	for _, q := range climateNow {
		s, f := of(q.fields...)
		s.where = chosen
		p.add(6, 6, q.draw(q.title, q.about, s.flux(), f))
	}
	p.open("Course")
	for _, q := range climateNow {
		s, f := of(q.fields...)
		s.where = chosen
		p.add(12, 8, plot(q.title+", course", q.about, s.flux(), f))
	}
	for _, m := range measurements("weather", "outdoor_air", "weather_forecast", "weather_day", "air", "soil") {
		p.numbers(m)
	}
	return p
}

// quantity is a panel of the same quantity in several measurements.
type quantity struct {
	title, about string
	fields       []string
	draw         drawing
}

var climateNow = []quantity{
	{"Temperature", "", []string{"air.temperature_celsius", "zigbee.temperature_celsius"}, number},
	{"Humidity", "", []string{"air.humidity_percent", "zigbee.humidity_percent"}, levels},
	{"CO₂", "", []string{"air.co2_ppm", "zigbee.co2_ppm"}, levels},
	{"PM2.5", "", []string{"air.pm2_5_ugm3", "zigbee.pm25_ugm3"}, levels},
	{"PM10", "", []string{"air.pm10_ugm3", "zigbee.pm10_ugm3"}, levels},
}
