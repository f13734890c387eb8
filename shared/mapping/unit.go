package mapping

import (
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// unitKeys are keys of the unit of a payload's other values, without underscores and in
// lower case.
var unitKeys = set("unit units unitofmeasurement tempunit tempunits temperatureunit temperatureunits")

// NamedUnit returns the unit that a payload names under a key of its own, as in
// {"temperature": 70, "unit": "F"}, and its sign. ok is false for other keys and values.
func NamedUnit(key string, raw []byte) (u catalogue.Unit, sign string, ok bool) {
	if raw[0] != '"' || !unitKeys[strings.ToLower(strings.ReplaceAll(key, "_", ""))] {
		return u, "", false
	}
	if sign = strings.TrimSpace(text(raw)); sign == "" {
		return u, "", false
	}
	if strings.EqualFold(sign, "imperial") || strings.EqualFold(sign, "us") { // systems of units
		sign = "°F"
	}
	u, ok = catalogue.UnitOf(sign)
	return u, sign, ok
}
