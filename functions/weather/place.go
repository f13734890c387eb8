package function

import (
	"fmt"
	"strconv"
	"strings"
)

// place is a place whose weather is fetched. Its name is from the settings, since
// OpenWeather's own names change with its grid.
type place struct {
	name     string
	lat, lon float64 // degrees; north and east are positive
}

// parsePlaces reads name:lat,lon;name:lat,lon.
func parsePlaces(s string) ([]place, error) {
	var places []place
	seen := map[string]bool{}
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := parsePlace(part)
		if err != nil {
			return nil, err
		}
		if seen[p.name] {
			return nil, fmt.Errorf("%q is listed twice", p.name)
		}
		seen[p.name] = true
		places = append(places, p)
	}
	return places, nil
}

func parsePlace(s string) (place, error) {
	name, at, _ := strings.Cut(s, ":")
	lat, lon, _ := strings.Cut(at, ",")
	p := place{name: strings.TrimSpace(name)}
	var err1, err2 error
	p.lat, err1 = strconv.ParseFloat(strings.TrimSpace(lat), 64)
	p.lon, err2 = strconv.ParseFloat(strings.TrimSpace(lon), 64)
	// ParseFloat accepts NaN. This condition is false for it.
	onEarth := p.lat >= -90 && p.lat <= 90 && p.lon >= -180 && p.lon <= 180
	if p.name == "" || err1 != nil || err2 != nil || !onEarth {
		return place{}, fmt.Errorf("%q is not a place: write name:lat,lon as in seattle:47.6062,-122.3321", s)
	}
	return p, nil
}
