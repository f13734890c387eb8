package function

import (
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/mapping"
)

// unitNamed returns the unit that a text names.
func unitNamed(raw []byte) (u catalogue.Unit, ok bool) {
	sign := strings.TrimSpace(mapping.Text(raw))
	if raw[0] != '"' || sign == "" {
		return u, false
	}
	if strings.EqualFold(sign, "imperial") {
		sign = "°F"
	}
	return catalogue.UnitOf(sign)
}

// convert converts the values of a payload that names their unit under a key of its own:
// {"temperature": 70, "unit": "F"}. Keys of computers and of UPSs imply their units.
func (p *flatObject) convert() {
	for _, u := range p.units {
		for i := range p.found {
			if m := p.found[i].Measurement; m == "host" || m == "ups" {
				continue
			}
			for j := range p.found[i].Values {
				if v := &p.found[i].Values[j]; v.Field != nil && v.Field.Unit == u.Symbol {
					v.V = u.Convert(v.V)
				}
			}
		}
	}
}
