package function

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestTheBootOfTheLastReadingIsAcknowledged posts one reading of the boot before and
// one of the running boot, in both orders of arrival and in both orders within the
// batch, within one second and across its edge. Neither the second in which the batch is
// handled nor its order changes which boot is acknowledged.
func TestTheBootOfTheLastReadingIsAcknowledged(t *testing.T) {
	reading := func(boot string, seq int, after time.Duration) wire.Message {
		return message(after, "hearth/pi4/"+boot, fmt.Sprintf(`{"device":%q,"sensor":"dht22","time":%q,"boot":%q,"seq":%d,"fields":{"temperature_celsius":20}}`,
			boot, noon.Add(after).Format(time.RFC3339Nano), boot, seq))
	}
	for name, tc := range map[string]struct {
		before, running time.Duration // when each arrives
		want            string
	}{
		"the_running_last_in_one_second": {100 * time.Millisecond, 200 * time.Millisecond, "running"},
		"the_one_before_in_one_second":   {200 * time.Millisecond, 100 * time.Millisecond, "before"},
		"the_running_after_the_edge":     {999 * time.Millisecond, 1000 * time.Millisecond, "running"},
		"the_one_before_after_the_edge":  {1000 * time.Millisecond, 999 * time.Millisecond, "before"},
		"both_at_once":                   {1000 * time.Millisecond, 1000 * time.Millisecond, "running"},
	} {
		for _, late := range []time.Duration{20 * time.Millisecond, 1020 * time.Millisecond} {
			for _, turned := range []bool{false, true} {
				t.Run(fmt.Sprint(name, "/handled_after_", late, "/turned_", turned), func(t *testing.T) {
					f := batchtest.Serve(t, New, batchtest.SQLite(t))
					f.Late = late
					f.Post(t, reading("before", 1, 0))
					f.Post(t, reading("running", 1, time.Millisecond))
					batch := []wire.Message{reading("before", 2, tc.before), reading("running", 2, tc.running)}
					if turned {
						slices.Reverse(batch)
					}
					if got := f.Post(t, batch...).Stored["pi4"]; got != (wire.StoredUpTo{Boot: tc.want, Seq: 2}) {
						t.Errorf("acknowledged %+v, want 2 of %s", got, tc.want)
					}
				})
			}
		}
	}
}

// TestTheFirstBootIsTheSameInEveryRun: numbers that a node gave out before hearth
// received any are not missing. That holds for one boot only.
func TestTheFirstBootIsTheSameInEveryRun(t *testing.T) {
	for range 50 { // maps are iterated in random order
		var ns numbers
		for _, boot := range []string{"d", "b", "a", "c"} {
			ns.add("pi4", boot, 5, noon)
		}
		known := ns.apply(nil, noon)
		for _, e := range known {
			if e.First != (e.Boot == "a") {
				t.Fatalf("%+v", known)
			}
		}
		known = slices.Clone(known)
		for i := range known {
			known[i].Upto = 5
		}
		slices.Reverse(known)
		if got := ns.acks(known)["pi4"].Boot; got != "d" {
			t.Fatalf("of four boots that arrived at once %s is acknowledged, want d", got)
		}
	}
}
