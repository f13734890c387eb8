package page

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestRowsOfTheGridAreFull(t *testing.T) {
	all := []string{"weather", "today", "air", "rooms", "power", "house", "stocks", "curve", "github", "news"}
	for name, c := range map[string]struct {
		kinds []string
		want  string
	}{
		"all":             {all, "[5 4 3 5 4 3 3 3 3 3] in 3 rows"},
		"no power":        {[]string{"weather", "today", "air", "rooms", "house", "stocks", "curve", "github", "news"}, "[5 4 3 5 4 3 4 4 4] in 3 rows"},
		"one":             {[]string{"rooms"}, "[12] in 1 rows"},
		"nothing":         {nil, "[] in 0 rows"},
		"one more":        {append(all[:10:10], "own"), "[5 4 3 5 4 3 4 4 4 6 6] in 4 rows"},
		"two more":        {append(all[:10:10], "ups", "own"), "[5 4 3 5 4 3 4 4 4 4 4 4] in 4 rows"},
		"of a first day":  {[]string{"weather", "today", "air", "rooms", "house", "stocks"}, "[5 4 3 5 4 3] in 2 rows"},
		"without weather": {[]string{"today", "air", "rooms"}, "[4 3 5] in 1 rows"},
	} {
		got, rows := spans(c.kinds, wide, wideColumns)
		if text := fmt.Sprint(got, " in ", rows, " rows"); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}

func TestRowsOfAnyTilesAreFull(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]string{"weather", "today", "air", "rooms", "power", "house", "other"}), 1, 30).Draw(t, "kinds")
		for columns, widths := range map[int]map[string]int{wideColumns: wide, narrowColumns: narrow} {
			got, rows := spans(kinds, widths, columns)
			sum, full := 0, 0
			for _, w := range got {
				if sum += w; sum == columns {
					sum, full = 0, full+1
				}
			}
			if sum != 0 || full != rows {
				t.Fatalf("%v of %v: %d columns are left, %d rows are full of %d", got, kinds, sum, full, rows)
			}
		}
	})
}
