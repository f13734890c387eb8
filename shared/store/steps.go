package store

import "time"

const week = 7 * day

// usualSteps are the lengths of windows that people are used to. Roll-ups fit in those from
// five minutes on.
var usualSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, week, 2 * week, 4 * week,
}

// NiceStep returns the shortest usual step of which a span has at most so many, if it begins
// with one: one of some seconds, minutes or hours, of one or two days, or of some weeks.
func NiceStep(span time.Duration, most int) time.Duration {
	fits := func(step time.Duration) bool { return (span+step-1)/step <= time.Duration(max(most, 1)) }
	for _, step := range usualSteps {
		if fits(step) {
			return step
		}
	}
	step := 8 * week
	for !fits(step) {
		step *= 2
	}
	return step
}
