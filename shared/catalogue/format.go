package catalogue

// Format says how numbers of a unit are written for a glance. The zero Format
// writes as many digits as the number needs.
type Format struct {
	Fixed     bool     // always Digits digits behind the point: 8.0 °C, 1025 hPa
	Digits    int      // of Fixed
	TenthFrom float64  // from here on one digit behind the point; 0: nowhere
	WholeFrom float64  // from here on none; 0: nowhere
	Prefixes  []string // signs for a thousand, a million, …: kB, MB
	Duration  bool     // seconds, from a minute on written as a span of time: 1 h 34 min
}

// FormatOf returns how numbers of the field are written.
func (f Field) FormatOf() Format {
	if f.Digits > 0 {
		return Format{Fixed: true, Digits: f.Digits}
	}
	return formats[f.Unit]
}

// FormatOf returns how numbers of a unit are written.
func FormatOf(unit string) Format { return formats[unit] }

// formats are those of the units, by sign.
var formats = map[string]Format{
	"°C": {Fixed: true, Digits: 1}, "K": {Fixed: true, Digits: 1}, "µg/m³": {Fixed: true, Digits: 1}, "m/s": {Fixed: true, Digits: 1}, "$": {Fixed: true, Digits: 2},
	"hPa": {Fixed: true}, "ppm": {Fixed: true}, "ppb": {Fixed: true}, "lx": {Fixed: true}, "rpm": {Fixed: true}, "°": {Fixed: true},
	"dB": {Fixed: true}, "dBm": {Fixed: true}, "min": {Fixed: true},
	"%": {WholeFrom: 20}, "V": {WholeFrom: 100}, "W": {Fixed: true, Digits: 1, WholeFrom: 100}, "kWh": {TenthFrom: 10, WholeFrom: 1000},
	"B": {Prefixes: []string{"kB", "MB", "GB", "TB"}}, "Hz": {Prefixes: []string{"kHz", "MHz", "GHz"}}, "m": {Prefixes: []string{"km"}}, "s": {Duration: true},
}
