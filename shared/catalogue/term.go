package catalogue

import (
	"regexp"
	"slices"
	"strconv"
)

var term = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(m|month|y|year)$`)

// Months returns the length of a term in months: 1.5 for "1.5m", 120 for "10y" and
// "10year". It returns -1 for text that is no term.
func Months(s string) float64 {
	parts := term.FindStringSubmatch(s)
	if parts == nil {
		return -1
	}
	n, _ := strconv.ParseFloat(parts[1], 64) // digits and a point
	if parts[2][0] == 'y' {
		n *= 12
	}
	return n
}

// Place returns where the series with these labels stands among those of the measurement:
// series with a lower number come first.
func (m Measurement) Place(labels map[string]string) float64 {
	if len(m.Order) == 0 {
		return Months(labels[m.Term])
	}
	if i := slices.Index(m.Order, labels[m.Term]); i >= 0 {
		return float64(i)
	}
	return float64(len(m.Order))
}
