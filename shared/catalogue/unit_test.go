package catalogue

import (
	"math"
	"testing"
)

func TestUnitsOfOneQuantityMeetInOneKey(t *testing.T) {
	for _, tc := range []struct {
		name, unit string
		value      float64
		key        string
		want       float64
	}{
		{"temperature", "°C", 21.5, "temperature_celsius", 21.5},
		{"temperature", "℃", 21.5, "temperature_celsius", 21.5},
		{"temperature", "°F", 212, "temperature_celsius", 100},
		{"voltage", "mV", 3000, "voltage_volts", 3},
		{"voltage", "V", 230, "voltage_volts", 230},
		{"pm25", "µg/m³", 4, "pm25_ugm3", 4}, // micro sign
		{"pm25", "μg/m³", 4, "pm25_ugm3", 4}, // Greek letter
		{"energy", "kWh", 1.5, "energy_kwh", 1.5},
		{"energy", "mWh", 5e6, "energy_kwh", 5},
		{"energy", "MWh", 2, "energy_kwh", 2000},
		{"power", "MW", 1, "power_watts", 1e6},
		{"linkquality", "lqi", 91, "linkquality", 91},
		{"pressure", "kPa", 101.3, "pressure_hpa", 1013},
		{"color_temp", "mired", 300, "color_temp_mired", 300},
		{"flow", "L/(min)", 3, "flow_l_min", 3},
		{"flow", "L/min", 3, "flow_liters_per_minute", 3},
		{"ec", "μS/cm", 1200, "ec_us_per_cm", 1200},
		{"ph", "pH", 7.1, "ph", 7.1},
		{"available_power", "kVA", 9, "available_power_voltamperes", 9000},
		{"water_total", "gal", 2, "water_total_liters", 7.570823568},
		{"away_hour", "hour", 7, "away_hour", 7},
		{"pm10_ugm3", "µg/m³", 3, "pm10_ugm3", 3},
	} {
		u, _ := UnitOf(tc.unit)
		if got := u.Convert(tc.value); u.Key(tc.name) != tc.key || math.Abs(got-tc.want) > 1e-9*math.Abs(tc.want) {
			t.Errorf("%s %v %s = %s %v, want %s %v", tc.name, tc.value, tc.unit, u.Key(tc.name), got, tc.key, tc.want)
		}
	}
}

func TestADecimalStaysExact(t *testing.T) {
	for sign, want := range map[string]float64{"mV": 3.042, "Pa": 30.42, "Wh": 3.042, "ms": 3.042} {
		u, _ := UnitOf(sign)
		if got := u.Convert(3042); got != want {
			t.Errorf("3042 %s = %v, want %v", sign, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	for name, want := range map[string]string{
		"Interior temp": "interior_temp", "interiorTemp": "interior_temp", "cpuUse": "cpu_use", "co2_Levels": "co2_levels",
		"GPU": "gpu", "_x__y_": "x_y", "größe": "gr_e", "": "", "°": "", "time": "time", "/dev/sda1": "dev_sda1", "ID": "id",
	} {
		if got := Key(name); got != want {
			t.Errorf("Key(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestPartsHaveTheFieldsOfTheirKind(t *testing.T) {
	power, _ := Get("power")
	if f, ok := power.Field("socket_2_power_watts"); !ok || f.Key != "power_watts" {
		t.Errorf("socket_2_power_watts: %v, %v", f, ok)
	}
	if f, ok := power.Field("watts"); ok {
		t.Errorf("watts is declared: %v", f)
	}
	weather, _ := Get("weather")
	if f, ok := weather.Field("socket_temperature_celsius"); ok {
		t.Errorf("weather has no parts, but %v", f)
	}
}

func TestEveryDeviceFieldHasARangeAndNoMeasurementTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		if seen[m.Name] {
			t.Errorf("%s is declared twice", m.Name)
		}
		seen[m.Name] = true
		for _, f := range m.Fields {
			if f.Max <= f.Min {
				t.Errorf("%s %s: range %v to %v", m.Name, f.Key, f.Min, f.Max)
			}
		}
	}
}
