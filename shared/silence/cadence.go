// Package silence learns how often devices report and how long their values stay equal,
// and says from when on a device is silent or a value is frozen. It is pure.
package silence

import (
	"slices"
	"time"
)

const (
	keepGaps  = 50 // how many gaps are remembered
	fewGaps   = 10 // with fewer, what is declared counts
	keepDays  = 7  // of how many days the longest gap is remembered
	multiple  = 3  // of the usual gap, from which on a stream is silent
	shortest  = 10 * time.Minute
	longest   = 25 * time.Hour
	burst     = time.Minute    // reports within it are one
	watched   = 48 * time.Hour // how long a stream must be known before its rhythm is
	longPause = 6 * time.Hour  // a device that reports only events and has such pauses has no cadence
)

// Cadence is what is learned of one stream of reports: of a metric, or of a device as a
// whole. The zero Cadence has learned nothing.
type Cadence struct {
	Gaps    []int64 `json:"gaps,omitempty"`    // the last 50 times between two reports, in seconds, the latest last
	Days    []Day   `json:"days,omitempty"`    // the last seven days with a gap
	Since   int64   `json:"since,omitempty"`   // unix time of the first report
	Changes int     `json:"changes,omitempty"` // how often the value has changed
	Longest int64   `json:"longest,omitempty"` // the longest time that the value stayed equal while it was reported, in seconds
}

// Day is the longest gap that ended on a day.
type Day struct {
	Day int64 `json:"day"` // since 1970, UTC
	Gap int64 `json:"gap"` // seconds
}

// Stream says what is known of a stream without learning.
type Stream struct {
	Declared time.Duration // how often it reports; 0: unknown
	Events   bool          // it may report only what happens: buttons, doors, motion, switches
	Rhythm   bool          // it may pause for hours each day, as it is not an edge agent that reports at fixed times
}

// Learn adds the gap between two reports that follow each other. Reports within a minute
// are one: Learn then returns false, and the next gap begins at from.
func (c *Cadence) Learn(from, to time.Time) bool {
	gap := to.Sub(from)
	if gap < burst {
		return false
	}
	if c.Since == 0 {
		c.Since = from.Unix()
	}
	seconds := int64(gap / time.Second)
	if len(c.Gaps) >= keepGaps {
		copy(c.Gaps, c.Gaps[1:])
		c.Gaps = c.Gaps[:keepGaps-1]
	}
	c.Gaps = append(c.Gaps, seconds)
	day := to.Unix() / 86400
	if n := len(c.Days); n > 0 && c.Days[n-1].Day == day {
		c.Days[n-1].Gap = max(c.Days[n-1].Gap, seconds)
		return true
	}
	c.Days = append(c.Days, Day{day, seconds})
	if len(c.Days) > keepDays {
		c.Days = slices.Delete(c.Days, 0, len(c.Days)-keepDays)
	}
	return true
}

// Limit returns how long a device may report nothing before it is silent: three times the
// 95th percentile of its last 50 gaps, at least 10 minutes and at most 25 hours; with
// fewer than 10 gaps three times what is declared or the longest of them. A pause that
// comes on at least two of the last days, as at night, does not make it silent. ok is false
// if nothing can be said: it reports only what happens, and nothing happens for hours.
func (c *Cadence) Limit(s Stream, now time.Time) (limit time.Duration, ok bool) {
	declared := multiple * s.Declared
	known := c.Since != 0 && now.Sub(time.Unix(c.Since, 0)) >= watched
	if len(c.Gaps) < fewGaps || s.Events && !known {
		return max(bound(declared, longest), bound(multiple*c.widest(), 0)), !s.Events // it may report more rarely than is declared
	}
	usual := c.usual()
	limit = multiple * usual
	rhythm := c.rhythm(1)
	switch {
	case s.Events && rhythm >= longPause, usual >= longest:
		return 0, false
	case s.Events: // the gaps between what happens vary more than those of a clock
		rhythm *= 2
	case s.Rhythm && !known:
		limit = max(limit, bound(declared, multiple*time.Hour))
	}
	return bound(max(limit, rhythm+rhythm/2), longest), true
}

// MetricLimit returns how long a metric of a device that reports other metrics may be
// missing. ok is false unless the metric has come regularly for two days.
func (c *Cadence) MetricLimit(now time.Time) (limit time.Duration, ok bool) {
	if len(c.Gaps) < keepGaps || now.Sub(time.Unix(c.Since, 0)) < watched || len(c.Days) < 2 {
		return 0, false
	}
	usual := c.usual()
	if usual > multiple*c.percentile(50) || usual >= longest/multiple {
		return 0, false
	}
	rhythm := c.rhythm(0)
	return bound(max(multiple*usual, rhythm+rhythm/2), longest), true
}

// Usual returns the gap that 95 % of the last gaps do not exceed; 0 if there are fewer
// than 10.
func (c *Cadence) Usual() time.Duration {
	if len(c.Gaps) < fewGaps {
		return 0
	}
	return c.usual()
}

func (c *Cadence) usual() time.Duration { return c.percentile(95) }

// widest returns the longest of the gaps, 0 if there are none.
func (c *Cadence) widest() time.Duration {
	if len(c.Gaps) == 0 {
		return 0
	}
	return c.percentile(100)
}

// percentile returns the smallest gap that is not exceeded by so many percent of the gaps.
func (c *Cadence) percentile(percent int) time.Duration {
	var sorted [keepGaps]int64
	n := copy(sorted[:], c.Gaps)
	slices.Sort(sorted[:n])
	return time.Duration(sorted[(n*percent+99)/100-1]) * time.Second
}

// rhythm returns the longest pause of the days after the so many longest are left out.
func (c *Cadence) rhythm(leaveOut int) time.Duration {
	var sorted [keepDays]int64
	n := 0
	for _, d := range c.Days[max(0, len(c.Days)-keepDays):] {
		sorted[n] = d.Gap
		n++
	}
	if n <= leaveOut {
		return 0
	}
	slices.Sort(sorted[:n])
	return time.Duration(sorted[n-1-leaveOut]) * time.Second
}

// bound returns d within the bounds, and otherwise if it is 0.
func bound(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		d = otherwise
	}
	return min(max(d, shortest), longest)
}
