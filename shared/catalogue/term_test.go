package catalogue

import (
	"slices"
	"strings"
	"testing"
)

func TestSeriesStandInTheirOrder(t *testing.T) {
	for measurement, want := range map[string]string{
		"treasury_yield": "1m 1.5m 2m 3m 4m 6m 1y 2y 3y 5y 7y 10y 20y 30y",
		"github_alerts":  "critical high medium low other",
		"stock_quote":    "AAA BBB",
	} {
		m, _ := Get(measurement)
		values := strings.Fields(want)
		slices.Sort(values)
		slices.SortStableFunc(values, func(a, b string) int {
			x, y := m.Place(map[string]string{m.Term: a}), m.Place(map[string]string{m.Term: b})
			return int(2*x) - int(2*y)
		})
		if got := strings.Join(values, " "); got != want {
			t.Errorf("%s: %s, want %s", measurement, got, want)
		}
	}
}
