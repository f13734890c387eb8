package rollup

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestAReadingThatComesAgainWhenItIsLateCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.write(series(daysKept, "office", noon.Add(-20*day), noon, time.Hour))
		h.tick(noon)
		now := noon.Add(2 * time.Hour)
		h.tick(now)
		rs := series(daysKept, "attic", now.Add(-13*day).Add(time.Minute), now.Add(-13*day).Add(40*time.Minute), 7*time.Minute)
		for _, at := range []time.Time{now, now.Add(time.Hour)} { // not late yet, and late
			if err := h.Commit(t.Context(), "test", store.Batch{Readings: rs, Now: at}, nil); err != nil {
				t.Fatal(err)
			}
		}
		h.written = append(h.written, rs...)
		h.tick(now.Add(2 * time.Hour))
		for _, resolution := range []time.Duration{store.FiveMinutes, store.Hour} {
			h.same(resolution, daysKept, noon.Add(-20*day), noon)
		}
	})
}
