package device

import (
	"fmt"
	"math"
	"time"
)

const ahead = 5 * time.Minute // a source's clock may be ahead of ours

var century = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckTime reports a time that cannot be that of a message.
func CheckTime(t, arrived time.Time) error {
	if t.Before(century) || t.After(arrived.Add(ahead)) {
		return fmt.Errorf("the time %s cannot be right", t.UTC().Format(time.RFC3339))
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// check refuses more series than a device can need.
func (b *Batch) check(s *Sample) error {
	fresh := 0
	for _, v := range s.Values {
		if s.Thing.metrics[v.Key] == nil {
			fresh++
		}
	}
	switch {
	case fresh > 0 && len(s.Thing.metrics)+fresh > maxMetrics:
		return fmt.Errorf("%s has more than %d metrics", s.Thing.ID, maxMetrics)
	case fresh > 0 && b.r.series+fresh > maxSeries:
		return ErrFull
	}
	return nil
}
