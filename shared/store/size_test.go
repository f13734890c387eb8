package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// InfluxDB limits the length of a series key to 65,535 bytes, and the field of a roll-up is
// 8 bytes longer than that of the readings. All stores have the same limit.
func TestTagsMayBeAsLongAsInfluxDBAllows(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for name, char := range map[string]string{"letters": "x", "escaped": "="} {
			r := reading.Reading{Name: measurement(t), Fields: map[string]float64{"co2_ppm": 1, "v": 2}, Time: noon}
			// The separators are the comma and = of the tag, and 4 bytes before the field.
			left := 65535 - len(":suspect") - len(r.Name) - len(",t=") - 4 - len("co2_ppm")
			n := left / len(strings.ReplaceAll(char, "=", `\=`))
			longest := strings.Repeat(char, n) + strings.Repeat("y", left-n*len(strings.ReplaceAll(char, "=", `\=`)))
			r.Tags = map[string]string{"t": longest}
			write(t, s, r)
			if got, want := lines(t, s, r.Name, nil), []string{r.Line()}; !slices.Equal(got, want) {
				t.Errorf("%s: a tag of %d bytes was read as %d lines, want the same reading", name, len(longest), len(got))
			}
			r.Tags["t"] += "y"
			if err := s.Write(t.Context(), []reading.Reading{r}); !errors.Is(err, store.ErrUnstorable) {
				t.Errorf("%s: one byte more: %v, want ErrUnstorable", name, err)
			}
			r.Tags["t"] = strings.Repeat("z", 64<<10)
			if _, _, err := s.Fresh(t.Context(), []reading.Reading{r}); err == nil {
				t.Errorf("%s: 64 KiB are accepted", name)
			}
		}
	})
}
