package status

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/action"
)

// maintenanceSpan is a length of maintenance that the page offers.
type maintenanceSpan struct {
	Name, Label string
	length      time.Duration
}

func maintenanceSpans() []maintenanceSpan {
	return []maintenanceSpan{{"2h", "2 hours", 2 * time.Hour}, {"1d", "1 day", day}, {"7d", "1 week", 7 * day}, {"30d", "30 days", 30 * day}}
}

// maintain begins or ends the maintenance of a device or a room. The body is a form with
// subject=, as in device/office-air or room/cellar, and for=, one of the spans or end.
// 200 done, with a sentence; 400 the form has mistakes; 409 the register has no such device or
// room; 503 the store cannot be reached.
func (p *Page) maintain(w http.ResponseWriter, r *http.Request) {
	form, ok := readForm(w, r, "subject", "for")
	if !ok {
		return
	}
	a := action.Action{Subject: form.Get("subject"), At: p.Now()}
	if form.Get("for") == "end" {
		a.Do = action.EndMaintenance
	}
	for _, s := range maintenanceSpans() {
		if s.Name == form.Get("for") {
			a.Do, a.For = action.Maintenance, s.length
		}
	}
	if a.Do == "" {
		http.Error(w, fmt.Sprintf("for is %.20q: write 2h, 1d, 7d, 30d or end", form.Get("for")), http.StatusBadRequest)
		return
	}
	p.carryOut(w, r, a)
}

// Subject returns what the room's maintenance is of, "" if it is no room.
func (r Room) Subject() string {
	if r.order != 0 {
		return ""
	}
	return "room/" + strings.ToLower(r.Name)
}

// Subject returns what the device's maintenance is of.
func (d Device) Subject() string { return "device/" + d.ID }

// maintenance is that of one subject, and the view that it is part of.
type maintenance struct {
	View    *view
	Subject string
	Until   time.Time // zero: there is none
}

func maintained(v *view, subject string, until time.Time) maintenance {
	return maintenance{v, subject, until}
}
