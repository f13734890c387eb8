package store_test

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestNiceStepIsTheShortestUsualStepThatFits(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		span time.Duration
		most int
		want time.Duration
	}{
		{day, 96, 15 * time.Minute}, {day + 1, 96, 30 * time.Minute}, {365 * day, 500, day}, {365 * day, 1000, 12 * time.Hour}, {30 * day, 96, 12 * time.Hour},
		{time.Minute, 1000, time.Second}, {90 * time.Minute, 500, 15 * time.Second}, {3650 * day, 500, 14 * day}, {36500 * day, 100, 448 * day}, {day, 0, day}, {0, 10, time.Second},
	} {
		if got := store.NiceStep(tc.span, tc.most); got != tc.want {
			t.Errorf("%s in at most %d steps: %s, want %s", tc.span, tc.most, got, tc.want)
		}
	}
}
