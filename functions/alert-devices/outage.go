package function

import (
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

const (
	outageFor   = 2 * time.Minute // a database that starts again is no outage
	outageEvery = time.Hour
	directTime  = 5 * time.Second
)

// outage is the time during which the store cannot be used. It is kept in memory only,
// since the store is what is missing.
type outage struct {
	since time.Time // of the first failure; zero: it works
	told  time.Time // when it was told last; zero: it was not
	ended time.Time // of the latest outage that was told
}

// next returns what to tell now after a tick that ended with err; "": nothing.
func (o *outage) next(h *alert.House, err error, now time.Time) string {
	if err == nil {
		before := *o
		*o = outage{ended: before.ended}
		if before.told.IsZero() {
			return ""
		}
		o.ended = now
		return fmt.Sprintf("The database can be used again. It could not be for %s, from %s to %s.",
			alert.Span(now.Sub(before.since)), h.When(before.since, now), h.When(now, now))
	}
	if o.since.IsZero() || now.Before(o.since) {
		o.since = now
	}
	if now.Sub(o.since) < outageFor || !o.told.IsZero() && now.Sub(o.told) < outageEvery {
		return ""
	}
	o.told = now
	return fmt.Sprintf("The database cannot be used since %s (%s): %v\nMessages of devices wait meanwhile, and are stored later. Check that the databases run.",
		h.When(o.since, now), alert.Span(now.Sub(o.since)), err)
}
