package silence

import (
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
)

const (
	manyChanges   = 50             // a value that has changed less often may be one that hardly changes
	frozenWatched = 72 * time.Hour // how long a value must be known before it can be frozen
	shortestEqual = 6 * time.Hour  // no value is frozen before
	often         = 2 * time.Hour  // a value that changes less often on average is not watched
)

// Changed adds that a value has stayed equal for so long while it was reported, and then
// changed at t.
func (c *Cadence) Changed(equal time.Duration, t time.Time) {
	if c.Since == 0 {
		c.Since = t.Unix()
	}
	if limit, ok := c.Frozen(t); ok && equal >= limit { // a failure is not what the value usually does, unless it comes again and again
		equal = min(equal, 2*time.Duration(c.Longest)*time.Second)
	}
	c.Changes++
	c.Longest = max(c.Longest, int64(equal/time.Second))
}

// Frozen returns how long a value may stay equal before it is frozen: three times as long
// as ever before, at least 6 hours. ok is false unless it has changed often, for three
// days: a coarse or slow value is not watched.
func (c *Cadence) Frozen(now time.Time) (limit time.Duration, ok bool) {
	known := now.Sub(time.Unix(c.Since, 0))
	if c.Changes < manyChanges || known < frozenWatched || known/time.Duration(c.Changes) > often {
		return 0, false
	}
	return max(shortestEqual, multiple*time.Duration(c.Longest)*time.Second), true
}

// Continuous reports whether a metric is a measured quantity that changes all the time:
// a temperature, humidity, pressure or concentration. Words, counters, powers and what a
// person sets are not.
func Continuous(metric string) bool {
	for _, set := range []string{"setpoint", "target", "calibration", "offset", "limit", "threshold", "min_", "max_", "low_", "high_", "delta", "comfort", "eco_temperature"} {
		if strings.Contains(metric, set) {
			return false
		}
	}
	switch catalogue.KeyUnit(metric) {
	case "°C", "°F", "hPa", "ppm", "ppb", "µg/m³":
		return true
	case "%":
		return strings.Contains(metric, "humidity") || strings.Contains(metric, "moisture")
	}
	return false
}
