package catalogue

import (
	"regexp"
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
