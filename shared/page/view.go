package page

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hearth-home/hearth/shared/page/glance"
)

// localTime is how at= may be written in the zone of the house.
const localTime = "2006-01-02T15:04"

// viewOf reads from an address what its viewer looks at.
func (p *Page) viewOf(r *http.Request) (glance.View, error) {
	q := r.URL.Query()
	v := glance.View{Name: q.Get("view")}
	text := q.Get("at")
	if text == "" {
		return v, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.ParseInLocation(localTime, text, p.zone())
	}
	switch now := p.Glance.Now(); {
	case err != nil:
		return v, fmt.Errorf("at is %.40q: write it as 2026-11-27T03:12, or with a zone as 2026-11-27T03:12:00Z", text)
	case at.Year() < 2000:
		return v, errors.New("at is before the year 2000")
	case !at.After(now):
		v.At = at.UTC()
	case at.Sub(now) > time.Minute: // a clock may be ahead by a little: then it means now
		return v, errors.New("at is in the future")
	}
	return v, nil
}

// zone returns the zone of the house; UTC if hearth.yml names none.
func (p *Page) zone() *time.Location {
	if zone, err := time.LoadLocation(string(p.Glance.Settings().House.Zone)); err == nil {
		return zone
	}
	return time.UTC
}
