package catalogue

import "time"

// Retention says how long a measurement is kept.
type Retention int

const (
	KeepYears  Retention = iota // every reading for ever: of sources, a few points an hour
	KeepMonths                  // every reading for a year
	KeepDays                    // every reading for 14 days: of computers, every few seconds
)

// Kept is what a Retention means.
type Kept struct {
	Raw    time.Duration // how long every reading is kept; 0: for ever
	Rolled bool          // mean, minimum, maximum, last value and count are kept for each 5 minutes and each hour
	Fine   time.Duration // how long those of 5 minutes are kept; those of an hour are kept for ever
}

const year = 365 * 24 * time.Hour

// Kept returns what the retention means.
func (r Retention) Kept() Kept {
	switch r {
	case KeepMonths:
		return Kept{Raw: year, Rolled: true, Fine: year}
	case KeepDays:
		return Kept{Raw: 14 * 24 * time.Hour, Rolled: true, Fine: year}
	default:
		return Kept{}
	}
}

// KeptOf returns how long a measurement is kept. One that is not in the catalogue comes from
// hearth.yml, and is kept as devices are: KeepMonths.
func KeptOf(measurement string) Kept {
	if m, ok := Get(measurement); ok {
		return m.Keep.Kept()
	}
	return KeepMonths.Kept()
}
