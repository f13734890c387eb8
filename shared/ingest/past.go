package ingest

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// SavePast stores readings of the past that change no state of a device and raise no alert. It
// returns how many it stored, and an error for each that it refused. It may be called again
// with the same readings.
func SavePast(ctx context.Context, st *store.Store, rs []reading.Reading, lookup Lookup, now time.Time) (stored int, refused []error, err error) {
	kept := make([]reading.Reading, 0, len(rs))
	for _, r := range rs {
		r, dropped, err := checkReading(r, lookup, now)
		refused = append(refused, dropped...)
		switch {
		case err != nil:
			refused = append(refused, err)
		case !isEmpty(r):
			kept = append(kept, r)
		}
	}
	if err := st.Commit(ctx, "store readings of the past", store.Batch{Readings: kept, Now: now}, nil); err != nil {
		return 0, refused, err
	}
	return len(kept), refused, nil
}
