package catalogue

import (
	"math"
	"strings"
)

// Unit is the unit in which hearth stores a quantity that was sent in another one. The
// stored value is the sent value*Factor + Offset.
type Unit struct {
	Suffix string // of the key: "celsius"
	Symbol string // for people: "°C"
	Factor float64
	Offset float64
}

// Key returns the field key of a quantity in this unit: humidity_percent for humidity.
func (u Unit) Key(name string) string {
	if u.Suffix == "" || name == u.Suffix || strings.HasSuffix(name, "_"+u.Suffix) {
		return name
	}
	return name + "_" + u.Suffix
}

// Convert returns the stored value for a sent one.
func (u Unit) Convert(v float64) float64 {
	if u.Factor == 1 {
		return v + u.Offset // exact, without a multiplication
	}
	if n := math.Round(1 / u.Factor); u.Factor < 1 && u.Factor == 1/n {
		return v/n + u.Offset // 3042 mV are 3.042 V; times 0.001 they were 3.0420000000000003
	}
	return v*u.Factor + u.Offset
}

var units = map[string]Unit{
	"": {"", "", 1, 0}, "lqi": {"", "", 1, 0},
	"°c": {"celsius", "°C", 1, 0}, "c": {"celsius", "°C", 1, 0}, "celsius": {"celsius", "°C", 1, 0}, "degc": {"celsius", "°C", 1, 0}, "fahrenheit": {"celsius", "°C", 1 / 1.8, -32 / 1.8}, "degf": {"celsius", "°C", 1 / 1.8, -32 / 1.8},
	"°f": {"celsius", "°C", 1 / 1.8, -32 / 1.8}, "f": {"celsius", "°C", 1 / 1.8, -32 / 1.8}, "k": {"kelvin", "K", 1, 0},
	"%": {"percent", "%", 1, 0}, "percent": {"percent", "%", 1, 0}, "%rh": {"percent", "%", 1, 0}, "ratio": {"percent", "%", 100, 0},
	"pa": {"hpa", "hPa", 0.01, 0}, "hpa": {"hpa", "hPa", 1, 0}, "mbar": {"hpa", "hPa", 1, 0}, "kpa": {"hpa", "hPa", 10, 0},
	"bar": {"hpa", "hPa", 1000, 0}, "psi": {"hpa", "hPa", 68.947572932, 0}, "inhg": {"hpa", "hPa", 33.86389, 0}, "mmhg": {"hpa", "hPa", 1.33322387415, 0},
	"ppm": {"ppm", "ppm", 1, 0}, "ppb": {"ppb", "ppb", 1, 0},
	"µg/m³": {"ugm3", "µg/m³", 1, 0}, "ug/m3": {"ugm3", "µg/m³", 1, 0}, "µg/m3": {"ugm3", "µg/m³", 1, 0}, "mg/m³": {"ugm3", "µg/m³", 1000, 0},
	"lx": {"lux", "lx", 1, 0}, "lux": {"lux", "lx", 1, 0},
	"w": {"watts", "W", 1, 0}, "kw": {"watts", "W", 1000, 0}, "mw": {"watts", "W", 0.001, 0}, "va": {"voltamperes", "VA", 1, 0}, "var": {"voltamperes_reactive", "var", 1, 0},
	"watt": {"watts", "W", 1, 0}, "watts": {"watts", "W", 1, 0}, "kva": {"voltamperes", "VA", 1000, 0}, "kvar": {"voltamperes_reactive", "var", 1000, 0}, "kvarh": {"kvarh", "kvarh", 1, 0}, "varh": {"kvarh", "kvarh", 0.001, 0},
	"v": {"volts", "V", 1, 0}, "volt": {"volts", "V", 1, 0}, "volts": {"volts", "V", 1, 0}, "kv": {"volts", "V", 1000, 0}, "mv": {"volts", "V", 0.001, 0},
	"a": {"amperes", "A", 1, 0}, "ma": {"amperes", "A", 0.001, 0}, "amp": {"amperes", "A", 1, 0}, "amps": {"amperes", "A", 1, 0}, "µa": {"amperes", "A", 1e-6, 0},
	"kwh": {"kwh", "kWh", 1, 0}, "wh": {"kwh", "kWh", 0.001, 0}, "mwh": {"kwh", "kWh", 1000, 0},
	"hz": {"hertz", "Hz", 1, 0}, "khz": {"hertz", "Hz", 1e3, 0}, "mhz": {"hertz", "Hz", 1e6, 0}, "ghz": {"hertz", "Hz", 1e9, 0}, "rpm": {"rpm", "rpm", 1, 0},
	"s": {"seconds", "s", 1, 0}, "sec": {"seconds", "s", 1, 0}, "seconds": {"seconds", "s", 1, 0}, "ms": {"seconds", "s", 0.001, 0},
	"min": {"seconds", "s", 60, 0}, "minutes": {"seconds", "s", 60, 0}, "h": {"seconds", "s", 3600, 0}, "hours": {"seconds", "s", 3600, 0}, "days": {"seconds", "s", 86400, 0},
	"sec.": {"seconds", "s", 1, 0}, "min.": {"seconds", "s", 60, 0}, "hr": {"seconds", "s", 3600, 0}, "hrs": {"seconds", "s", 3600, 0}, "mins": {"seconds", "s", 60, 0}, "secs": {"seconds", "s", 1, 0}, // but day and hour are also a date's
	"b": {"bytes", "B", 1, 0}, "bytes": {"bytes", "B", 1, 0}, "kib": {"bytes", "B", 1 << 10, 0}, "mib": {"bytes", "B", 1 << 20, 0}, "gib": {"bytes", "B", 1 << 30, 0},
	"kb": {"bytes", "B", 1e3, 0}, "mb": {"bytes", "B", 1e6, 0}, "gb": {"bytes", "B", 1e9, 0}, "tb": {"bytes", "B", 1e12, 0}, "tib": {"bytes", "B", 1 << 40, 0},
	"m": {"meters", "m", 1, 0}, "meters": {"meters", "m", 1, 0}, "µm": {"um", "µm", 1, 0}, "cm": {"meters", "m", 0.01, 0}, "mm": {"mm", "mm", 1, 0}, "km": {"meters", "m", 1000, 0}, "ft": {"meters", "m", 0.3048, 0},
	"m/s": {"mps", "m/s", 1, 0}, "km/h": {"mps", "m/s", 1 / 3.6, 0}, "mph": {"mps", "m/s", 0.44704, 0}, "kn": {"mps", "m/s", 1852.0 / 3600, 0}, "knots": {"mps", "m/s", 1852.0 / 3600, 0}, "°": {"degrees", "°", 1, 0},
	"l": {"liters", "l", 1, 0}, "liter": {"liters", "l", 1, 0}, "litre": {"liters", "l", 1, 0}, "gal": {"liters", "l", 3.785411784, 0}, "l/min": {"liters_per_minute", "l/min", 1, 0}, "gal/min": {"liters_per_minute", "l/min", 3.785411784, 0}, "l/h": {"liters_per_hour", "l/h", 1, 0},
	"m³": {"cubic_meters", "m³", 1, 0}, "m3": {"cubic_meters", "m³", 1, 0}, "m³/h": {"cubic_meters_per_hour", "m³/h", 1, 0},
	"mm/h": {"mm_per_hour", "mm/h", 1, 0}, "g": {"grams", "g", 1, 0}, "kg": {"kilograms", "kg", 1, 0}, "mg/l": {"mg_per_liter", "mg/l", 1, 0}, "ph": {"", "pH", 1, 0},
	"µs/cm": {"us_per_cm", "µS/cm", 1, 0}, "µsv/h": {"usv_per_hour", "µSv/h", 1, 0}, "µr/h": {"ur_per_hour", "µR/h", 1, 0},
	"db": {"db", "dB", 1, 0}, "dba": {"db", "dB", 1, 0}, "dbm": {"dbm", "dBm", 1, 0}, "mired": {"mired", "mired", 1, 0},
}

// sameSign replaces characters that look alike: the Greek letter for the micro sign, and
// the one-character ℃. It removes spaces.
var sameSign = strings.NewReplacer("\u03bc", "\u00b5", "\u2103", "°c", "\u2109", "°f", "\u00ba", "°", " ", "")

// UnitOf returns the unit in which hearth stores what is sent in the unit with this
// sign. An unknown unit stays as it is, and known is false; its suffix is made of its
// letters.
func UnitOf(sign string) (u Unit, known bool) {
	// Case matters only for mWh (milli, not mega) and MW (mega, not milli).
	plain := sameSign.Replace(strings.TrimSpace(sign))
	if plain == "mWh" {
		return Unit{"kwh", "kWh", 1e-6, 0}, true
	}
	if plain == "MW" {
		return Unit{"watts", "W", 1e6, 0}, true
	}
	if u, ok := units[strings.ToLower(plain)]; ok {
		return u, true
	}
	return Unit{Key(plain), sign, 1, 0}, false
}

const maxKey = 64

// Key turns a name into a part of a field key, of small letters, digits and single
// underscores: "Interior temp" and "interiorTemp" become interior_temp. It drops other
// characters, so that the result may be empty, and keeps at most 64.
func Key(name string) string {
	b := make([]byte, 0, len(name)+4)
	lower := false // the character before was a small letter or a digit
	for i := 0; i < len(name) && len(b) < maxKey; i++ {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b = append(b, c)
			lower = true
		case c >= 'A' && c <= 'Z':
			if lower {
				b = append(b, '_')
			}
			b = append(b, c+'a'-'A')
			lower = false
		default:
			if len(b) > 0 && b[len(b)-1] != '_' {
				b = append(b, '_')
			}
			lower = false
		}
	}
	return strings.TrimSuffix(string(b), "_")
}
