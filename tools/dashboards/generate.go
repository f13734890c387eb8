package main

import (
	"github.com/hearth-home/hearth/shared/catalogue"
)

// generate returns the committed files, by their path in the folder.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, p := range []*page{home(), climate(), power(), computers(), gaming(), markets(), developer(), system()} {
		text, err := p.json()
		if err != nil {
			return nil, err
		}
		files["dashboards/"+p.uid+".json"] = text
	}
	return files, nil
}

// ownDashboard returns the dashboard of the measurements that hearth.yml adds; nil if
// it adds none.
func ownDashboard(ms []catalogue.Measurement) ([]byte, error) {
	if len(ms) == 0 {
		return nil, nil
	}
	p := &page{uid: "own", title: "Own measurements", about: "Measurements that hearth.yml adds or extends"}
	p.variables = append(p.variables, rooms("."), devices("device", "Device", "."))
	for _, m := range ms {
		p.numbers(m)
	}
	return p.json()
}
