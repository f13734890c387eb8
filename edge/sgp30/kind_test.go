package sgp30

import (
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

func TestABaselineIsSavedOnlyWithAClockThatIsSet(t *testing.T) {
	trusted, now := true, time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	wrote := 0
	b := baselines{driver.StateStore{Dir: t.TempDir(), Now: func() (time.Time, bool) { return now, trusted }, OnWrite: func(n int) { wrote += n }}}
	b.save(baseline{Serial: "0a", ECO2: 1, TVOC: 2})
	if got, ok := b.load("0a"); !ok || got.ECO2 != 1 || got.TVOC != 2 || !got.At.Equal(now) || wrote == 0 {
		t.Errorf("got %+v, %v, %d bytes", got, ok, wrote)
	}
	trusted, now = false, time.Unix(100, 0)
	if got, ok := b.load("0a"); !ok || !got.At.Equal(now) {
		t.Errorf("before the clock is set: %+v, %v; its age is not known", got, ok)
	}
	b.save(baseline{Serial: "0b"})
	if _, ok := b.load("0b"); ok {
		t.Error("a baseline without a date was kept")
	}
}
