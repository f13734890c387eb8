package rules

import (
	"slices"
	"strings"
	"unicode"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// holds reports whether a rule for such devices holds for a metric.
func holds(w catalogue.Where, m Metric) bool {
	switch w {
	case catalogue.Indoors:
		return m.Room != "" && !named(m, notIndoors)
	case catalogue.Freezers:
		return named(m, freezers) && !named(m, fridges) && !named(m, plugs)
	}
	return true
}

// The words of names and rooms. Those of five letters or more count within longer words,
// too.
var (
	freezers   = []string{"freezer", "gefrierschrank", "gefriertruhe", "tiefkühler", "congelateur", "congélateur", "congelador", "vriezer", "diepvries"}
	fridges    = []string{"fridge", "refrigerator", "kühlschrank", "kuehlschrank", "frigo", "koelkast", "nevera"}
	plugs      = []string{"plug", "plugs", "socket", "outlet", "steckdose", "zwischenstecker", "prise", "enchufe", "stekker"} // they measure their own temperature
	appliances = []string{"oven", "boiler", "heating", "heater", "radiator", "solar", "server", "rack", "printer", "aquarium", "terrarium", "incubator", "humidor", "smoker", "grill", "bbq", "ofen", "kessel", "heizung"}
	outdoors   = []string{"outside", "outdoor", "garden", "balcony", "terrace", "patio", "yard", "roof", "porch", "pool", "pond", "weather",
		"aussen", "außen", "draussen", "draußen", "garten", "balkon", "terrasse", "dach", "teich", "wetter",
		"jardin", "jardín", "exterior", "exterieur", "extérieur", "balcon", "tuin", "buiten"}
	// unheated are rooms that may be as cold, hot or humid as it is outside.
	unheated   = []string{"shed", "garage", "carport", "greenhouse", "attic", "loft", "sauna", "winter", "schuppen", "gewächshaus", "garaje", "zolder"}
	notIndoors = slices.Concat(freezers, fridges, appliances, outdoors, unheated)
)

// InRoom reports whether a device of these names measures the air of a room: it is no plug,
// freezer or oven, and it is not outdoors. room may be "".
func InRoom(device, name, room string) bool {
	indoors := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "wintergarten", "winter") }
	return !named(Metric{Device: indoors(device), Name: indoors(name), Room: indoors(room)}, slices.Concat(freezers, fridges, plugs, appliances, outdoors))
}

// named reports whether the name, the id or the room of a metric's device has one of the
// words.
func named(m Metric, words []string) bool {
	for _, text := range []string{m.Device, m.Name, m.Room} {
		for _, part := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
			for _, w := range words {
				if part == w || len(w) >= 5 && strings.Contains(part, w) {
					return true
				}
			}
		}
	}
	return false
}
