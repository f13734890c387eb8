// Package units says in which units quantities are shown.
package units

// Unit is how a stored quantity is shown: value*factor + offset, with the symbol.
type Unit struct {
	Symbol         string
	factor, offset float64
}

// Of returns how a quantity that is stored in a unit is shown where hearth.yml says metric
// or imperial.
func Of(symbol string, imperial bool) Unit {
	if u, ok := customary[symbol]; ok && imperial {
		return u
	}
	return Unit{symbol, 1, 0}
}

// customary are the units in the United States, by the symbol of the stored one.
var customary = map[string]Unit{
	"°C": {"°F", 1.8, 32}, "mm": {"in", 1 / 25.4, 0}, "m/s": {"mph", 2.236936, 0}, "hPa": {"inHg", 0.02953, 0}, "m": {"ft", 3.28084, 0}, "km": {"mi", 0.621371, 0}, "l": {"gal", 0.264172, 0},
	"K": {"°F", 1.8, 0}, "mm/h": {"in/h", 1 / 25.4, 0}, "l/min": {"gal/min", 0.264172, 0}, "l/h": {"gal/h", 0.264172, 0}, "kg": {"lb", 2.204623, 0}, "g": {"oz", 0.035274, 0},
}

// Shown returns a stored value in the unit.
func (u Unit) Shown(v float64) float64 { return v*u.factor + u.offset }
