package function

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
