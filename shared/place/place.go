// Package place reads where something is on earth, for every source that is asked by
// place, and for the home itself.
package place

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/hearth-home/hearth/shared/config"
)

// Place is a point on earth with the name that the household gave it. The name is the
// tag place of what is stored.
type Place struct {
	Name                string
	Latitude, Longitude float64 // degrees; north and east are positive
}

// List is a setting of places: home:47.6062,-122.3321;cabin:46.5,8. Semicolons and line
// breaks separate them. No two have the same name.
type List []Place

const (
	maxName = 60 // bytes
	form    = "write name:latitude,longitude, as in home:47.6062,-122.3321"
)

// UnmarshalText parses a List. Its error names the place that is wrong, how the whole was
// read if it was read as several places, and how to write it.
func (l *List) UnmarshalText(text []byte) error {
	var entries config.Entries
	if err := entries.UnmarshalText(text); err != nil {
		return err
	}
	var places List
	seen := map[string]bool{}
	for _, s := range entries {
		p, err := parse(s)
		if err == nil && seen[p.Name] {
			err = fmt.Errorf("two places have the name %q", p.Name)
		}
		if err != nil {
			return explain(string(text), entries, err)
		}
		seen[p.Name] = true
		places = append(places, p)
	}
	*l = places
	return nil
}

func parse(s string) (Place, error) {
	name, at, ok := strings.Cut(s, ":")
	name = strings.TrimSpace(name)
	switch {
	case !ok && !strings.Contains(s, ","), ok && strings.TrimSpace(at) == "":
		return Place{}, fmt.Errorf("%q has no latitude and longitude", s)
	case !ok && strings.ContainsFunc(s, unicode.IsLetter):
		return Place{}, fmt.Errorf("%q has no colon after its name", s)
	case !ok || name == "":
		return Place{}, fmt.Errorf("%q has no name", s)
	case strings.Contains(at, ":"):
		return Place{}, fmt.Errorf("%q holds several places: separate them by semicolons", s)
	case strings.Count(at, ",") != 1:
		return Place{}, fmt.Errorf("%q is not one latitude and one longitude, with decimal points", s)
	}
	if err := checkName(name); err != nil {
		return Place{}, err
	}
	lat, lon, _ := strings.Cut(at, ",")
	p := Place{Name: name}
	var err1, err2 error
	p.Latitude, err1 = degrees("latitude", lat, Latitude)
	p.Longitude, err2 = degrees("longitude", lon, Longitude)
	switch {
	case err1 != nil && err2 != nil:
		return Place{}, fmt.Errorf("%q: %w, and %w", name, err1, err2)
	case err1 != nil || err2 != nil:
		return Place{}, fmt.Errorf("%q: %w", name, cmp.Or(err1, err2))
	}
	return p, nil
}

// checkName refuses what is no name: it is a tag, stands on the page and in messages.
func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("the name %.20q… is longer than %d bytes", name, maxName)
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" -_.'", r) {
			return fmt.Errorf("the name %q holds %q: letters, digits, spaces and -_.' make a name", name, r)
		}
	}
	return nil
}

func degrees(what, s string, check func(float64) error) (float64, error) {
	s = strings.TrimSpace(s)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("the %s %q is not a number of degrees", what, s)
	}
	return v, check(v)
}

// Latitude reports degrees that are no latitude.
func Latitude(degrees float64) error { return within("latitude", degrees, 90) }

// Longitude reports degrees that are no longitude.
func Longitude(degrees float64) error { return within("longitude", degrees, 180) }

func within(what string, v, limit float64) error {
	if v >= -limit && v <= limit { // false for NaN
		return nil
	}
	return fmt.Errorf("a %s must be from -%v to %v degrees", what, limit, limit)
}
