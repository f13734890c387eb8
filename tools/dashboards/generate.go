package main

import (
	"slices"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// generate returns the committed files, by their path in the folder.
func generate() (map[string][]byte, error) {
	files, err := provisioning()
	if err != nil {
		return nil, err
	}
	pages := []*page{home(), climate(), power(), computers(), gaming(), markets(), developer()}
	for _, p := range append(pages, system(without(pages))) {
		text, err := p.json()
		if err != nil {
			return nil, err
		}
		files["dashboards/"+p.uid+".json"] = text
	}
	return files, nil
}

// without returns the measurements of the catalogue that no page shows.
func without(pages []*page) (rest []catalogue.Measurement) {
	for _, m := range catalogue.All() {
		if !slices.ContainsFunc(pages, func(p *page) bool { return slices.Contains(p.measured, m.Name) }) {
			rest = append(rest, m)
		}
	}
	return rest
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
