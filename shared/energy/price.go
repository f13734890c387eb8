package energy

import (
	"time"

	"github.com/hearth-home/hearth/shared/deadline"
	"github.com/hearth-home/hearth/shared/settings"
)

// priceAt returns the price of a kWh at a time of day; ok is false if none is set for it.
func priceAt(ps []settings.Price, ofDay time.Duration) (price float64, ok bool) {
	for _, p := range ps {
		from, to := deadline.TimeOfDay(p.From), deadline.TimeOfDay(p.To)
		switch {
		case p.From == "", from == to:
			return p.Price, true
		case from < to && ofDay >= from && ofDay < to, from > to && (ofDay >= from || ofDay < to):
			return p.Price, true
		}
	}
	return 0, false
}
