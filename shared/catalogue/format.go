package catalogue

// Format says how numbers of a unit are written. The zero Format writes about four
// digits, without zeros at the end.
type Format struct {
	Fixed     bool     // write exactly Digits digits behind the point: 8.0 °C, 1025 hPa
	Digits    int      // see Fixed
	TenthFrom float64  // write one digit behind the point from this size on; 0: never
	WholeFrom float64  // write no digits behind the point from this size on; 0: never
	Prefixes  []string // the symbols for a thousand, a million and so on: kB, MB
	Duration  bool     // write seconds from a minute on as hours and minutes: 1 h 34 min
}

// Format returns how numbers of the field are written.
func (f Field) Format() Format {
	if f.Digits > 0 {
		return Format{Fixed: true, Digits: f.Digits}
	}
	return formats[f.Unit]
}

// formats are the formats by the symbol of the unit.
var formats = map[string]Format{
	"°C": {Fixed: true, Digits: 1}, "K": {Fixed: true, Digits: 1}, "µg/m³": {Fixed: true, Digits: 1}, "m/s": {Fixed: true, Digits: 1}, "$": {Fixed: true, Digits: 2},
	"hPa": {Fixed: true}, "ppm": {Fixed: true}, "ppb": {Fixed: true}, "lx": {Fixed: true}, "rpm": {Fixed: true}, "°": {Fixed: true},
	"dB": {Fixed: true}, "dBm": {Fixed: true}, "min": {Fixed: true},
	"%": {WholeFrom: 20}, "V": {WholeFrom: 100}, "W": {Fixed: true, Digits: 1, WholeFrom: 100}, "kWh": {TenthFrom: 10, WholeFrom: 1000},
	"B": {Prefixes: []string{"kB", "MB", "GB", "TB"}}, "B/s": {Prefixes: []string{"kB/s", "MB/s", "GB/s"}}, "Hz": {Prefixes: []string{"kHz", "MHz", "GHz"}}, "m": {Prefixes: []string{"km"}}, "s": {Duration: true},
}
