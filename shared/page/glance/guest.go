package glance

import (
	"errors"
	"html/template"
	"regexp"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// errPrivate is returned instead of what a guest may not see. A tile that is shown to guests must
// not ask for it.
var errPrivate = errors.New("this is not for guests")

// isPrivate reports whether guests may not see the readings of a measurement.
func isPrivate(measurement string) bool {
	m, ok := catalogue.Get(measurement)
	return ok && catalogue.FamilyOf(m.Function).Private
}

// notForGuests matches what names devices in the markup of a tile: what a click plots, and links
// to pages that show everything.
var notForGuests = regexp.MustCompile(`\s(data-plots|data-labels|data-key|data-device|tabindex|href)="[^"]*"`)

// forGuests removes from a tile what names devices, and what only the people of the house do.
func (t *Tile) forGuests() {
	t.Plots = nil
	t.Body = template.HTML(notForGuests.ReplaceAllString(string(t.Body), ""))
	for i := range t.Needs {
		t.Needs[i].Alert, t.Needs[i].Link = "", ""
	}
}
