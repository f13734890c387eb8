package function

import (
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rollup"
	"github.com/hearth-home/hearth/shared/store"
)

func TestTheAnswerTellsHowFarTheHistoryIsOnlyWhileMuchIsLeft(t *testing.T) {
	day := 24 * time.Hour
	state := store.Rolled{Since: morning.Truncate(time.Hour).Add(-100*day - time.Hour), Upto: morning.Truncate(time.Hour).Add(-25*day - time.Hour)}
	of := func() *history { return historyOf(rollup.ProgressOf(map[string]store.Rolled{"air": state}, morning)) }
	if h := of(); h == nil || *h != (history{75, 75, 100, "75 % of the history is rolled up: 75 of 100 days"}) {
		t.Errorf("%+v", h)
	}
	state.Upto = state.Upto.Add(24 * day)
	if h := of(); h != nil {
		t.Errorf("%+v", h)
	}
}

func TestATickRollsUpReadings(t *testing.T) {
	h := start(t, "", nil)
	r := reading.Reading{Name: "air", Tags: map[string]string{"device": "office"}, Fields: map[string]float64{"co2_ppm": 600}, Time: morning.Add(-5 * time.Hour)}
	if err := h.Store.Write(t.Context(), []reading.Reading{r}); err != nil {
		t.Fatal(err)
	}
	h.expect(0)
	var starts []time.Time
	q := store.Query{Name: "air", From: morning.AddDate(0, 0, -1), To: morning}
	err := h.Store.ReadRollups(t.Context(), store.Hour, q, func(_ map[string]string, _ string, rows []store.Rollup) error {
		for _, r := range rows {
			starts = append(starts, r.Start)
		}
		return nil
	})
	if err != nil || !slices.Equal(starts, []time.Time{r.Time.Truncate(time.Hour)}) {
		t.Errorf("%v, %v", starts, err)
	}
}
