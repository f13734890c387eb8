package catalogue

import "time"

var _ = declare(Family{Function: "weather", place: 10, About: "Weather now, forecast and outdoor air with the US AQI, by OpenWeather", Measurements: []Measurement{
	{
		Name: "weather", Title: "Weather now", About: "OpenWeather's report for each place",
		Labels: []string{"place"}, Text: []string{"description", "summary"}, HideText: []string{"summary"}, Cadence: 15 * time.Minute,
		Fields: append(conditions(),
			Field{Key: "rain_last_hour_mm", Title: "Rain in the last hour", Unit: "mm", Max: 500},
			Field{Key: "snow_last_hour_mm", Title: "Snow in the last hour", Unit: "mm", Max: 500}),
	},
	{
		Name: "weather_forecast", Title: "Weather to come", About: "OpenWeather's forecast in steps of three hours; rain and snow are those of the three hours before",
		Labels: []string{"place"}, Text: []string{"description", "summary"}, HideText: []string{"summary"}, Cadence: 3 * time.Hour,
		Keep: KeepMonths, Ahead: 6 * 24 * time.Hour,
		Fields: append(conditions(), precipitation("the three hours before")...),
	},
	{
		Name: "weather_day", Title: "Days to come", About: "OpenWeather's forecast for days from local midnight",
		Labels: []string{"place"}, Cadence: 24 * time.Hour, Ahead: 6 * 24 * time.Hour,
		Fields: append([]Field{
			{Key: "high_celsius", Title: "High", Unit: "°C", Min: -90, Max: 60},
			{Key: "low_celsius", Title: "Low", Unit: "°C", Min: -90, Max: 60},
		}, precipitation("the day")...),
	},
	{
		Name: "outdoor_air", Title: "Air outside", About: "Air pollution by OpenWeather's model",
		Labels: []string{"place"}, Cadence: 15 * time.Minute,
		Fields: []Field{
			{Key: "us_aqi", Title: "US AQI of this moment", Max: 10000, Warn: above(100, 10, Threshold{Title: "Bad air outside", Next: "Keep the windows closed.", Comfort: true})},
			{Key: "openweather_index", Title: "OpenWeather's index", Min: 1, Max: 5, Words: []string{"", "good", "fair", "moderate", "poor", "very poor"}},
			{Key: "pm2_5_ugm3", Title: "PM2.5", Unit: "µg/m³", Max: 5000},
			{Key: "pm10_ugm3", Title: "PM10", Unit: "µg/m³", Max: 10000},
			{Key: "o3_ugm3", Title: "Ozone", Unit: "µg/m³", Max: 5000},
			{Key: "no2_ugm3", Title: "Nitrogen dioxide", Unit: "µg/m³", Max: 5000},
			{Key: "no_ugm3", Title: "Nitrogen monoxide", Unit: "µg/m³", Max: 5000},
			{Key: "so2_ugm3", Title: "Sulphur dioxide", Unit: "µg/m³", Max: 10000},
			{Key: "co_ugm3", Title: "Carbon monoxide", Unit: "µg/m³", Max: 200000},
			{Key: "nh3_ugm3", Title: "Ammonia", Unit: "µg/m³", Max: 5000},
		},
	},
}})

// conditions returns the fields that OpenWeather reports for now and forecasts for a
// time. Its low and high are those of the area around the place at that time, not of the day.
func conditions() []Field {
	return []Field{
		{Key: "temperature_celsius", Title: "Temperature", Unit: "°C", Min: -90, Max: 60},
		{Key: "feels_like_celsius", Title: "Feels like", Unit: "°C", Min: -120, Max: 80},
		{Key: "low_celsius", Title: "Lowest around", Unit: "°C", Min: -90, Max: 60, Show: Hidden},
		{Key: "high_celsius", Title: "Highest around", Unit: "°C", Min: -90, Max: 60, Show: Hidden},
		{Key: "humidity_percent", Title: "Humidity", Unit: "%", Max: 100},
		{Key: "pressure_hpa", Title: "Pressure at sea level", Unit: "hPa", Min: 800, Max: 1100},
		{Key: "wind_mps", Title: "Wind", Unit: "m/s", Max: 120},
		{Key: "gust_mps", Title: "Gusts", Unit: "m/s", Max: 150},
		{Key: "wind_direction_degrees", Title: "Wind from", Unit: "°", Max: 360},
		{Key: "clouds_percent", Title: "Clouds", Unit: "%", Max: 100},
		{Key: "visibility_meters", Title: "Visibility", Unit: "m", Max: 100000},
	}
}

func precipitation(span string) []Field {
	return []Field{
		{Key: "rain_mm", Title: "Rain in " + span, Unit: "mm", Max: 2000},
		{Key: "snow_mm", Title: "Snow in " + span, Unit: "mm", Max: 2000},
		{Key: "precipitation_chance_percent", Title: "Chance of rain or snow", Unit: "%", Max: 100},
	}
}
