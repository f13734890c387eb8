package function

import "testing"

// The cases are EPA's own worked examples (Technical Assistance Document, "Using the table
// and the equation") and the limits of the categories. Gases are in ppb, converted to
// µg/m³ as OpenWeather sends them.
func TestUSAQI(t *testing.T) {
	ppb := func(v, weight float64) float64 { return v * weight / molar }
	for name, c := range map[string]struct {
		field string
		ugm3  float64
		want  float64
	}{
		"EPA example: ozone 0.07853333 ppm": {"o3_ugm3", ppb(78.53333, 48.00), 126},
		"EPA example: PM2.5 35.9":           {"pm2_5_ugm3", 35.9, 102},
		"EPA example: CO 8.4 ppm":           {"co_ugm3", ppb(8400, 28.01), 90},

		"clean":                      {"pm2_5_ugm3", 0, 0},
		"PM2.5 good ends at 9.0":     {"pm2_5_ugm3", 9.0, 50},
		"PM2.5 is truncated":         {"pm2_5_ugm3", 9.09, 50},
		"PM2.5 moderate":             {"pm2_5_ugm3", 9.1, 51},
		"PM2.5 moderate ends":        {"pm2_5_ugm3", 35.4, 100},
		"PM2.5 sensitive ends":       {"pm2_5_ugm3", 55.4, 150},
		"PM2.5 unhealthy ends":       {"pm2_5_ugm3", 125.4, 200},
		"PM2.5 very unhealthy ends":  {"pm2_5_ugm3", 225.4, 300},
		"PM2.5 hazardous":            {"pm2_5_ugm3", 325.4, 500},
		"PM2.5 beyond the scale":     {"pm2_5_ugm3", 425.3, 699},
		"PM10 good ends":             {"pm10_ugm3", 54.9, 50},
		"PM10 hazardous":             {"pm10_ugm3", 604, 500},
		"ozone good ends":            {"o3_ugm3", ppb(54, 48.00), 50},
		"ozone 8 hours end":          {"o3_ugm3", ppb(200, 48.00), 300},
		"ozone between both tables":  {"o3_ugm3", ppb(300, 48.00), 300},
		"ozone 1 hour":               {"o3_ugm3", ppb(405, 48.00), 301},
		"NO2 moderate ends":          {"no2_ugm3", ppb(100, 46.01), 100},
		"SO2 sensitive ends":         {"so2_ugm3", ppb(185, 64.07), 150},
		"CO unhealthy ends 15.4 ppm": {"co_ugm3", ppb(15400, 28.01), 200},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := usAQI(map[string]float64{c.field: c.ugm3}); !ok || got != c.want {
				t.Errorf("usAQI(%s %g) = %v, %v; want %v", c.field, c.ugm3, got, ok, c.want)
			}
		})
	}
	if got, _ := usAQI(map[string]float64{"pm2_5_ugm3": 35.9, "co_ugm3": ppb(8400, 28.01), "nh3_ugm3": 4000}); got != 102 {
		t.Errorf("usAQI of several = %v, want the worst's 102", got)
	}
	if _, ok := usAQI(map[string]float64{"nh3_ugm3": 1}); ok {
		t.Error("usAQI is known without any of the six pollutants")
	}
}
