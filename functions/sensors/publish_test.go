package function

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
)

// TestTheStatesOfAlertsArePublished when they change and with each canary; a day after its end
// an alert is removed. One of sample data is not published.
func TestTheStatesOfAlertsArePublished(t *testing.T) {
	st := batchtest.SQLite(t)
	f := batchtest.Serve(t, New, st, "PUBLISH_ALERTS", "true")
	off := batchtest.Serve(t, New, st)
	move := func(key string, sample bool, phase alert.Phase, at time.Time) {
		t.Helper()
		if err := st.MoveAlerts(t.Context(), []string{key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			s := before[key]
			s.Key, s.Rule, s.Title, s.Phase, s.Sample, s.Since, s.Severity, s.Ended = key, "smoke", "Smoke", phase, sample, noon, alert.Critical, time.Time{}
			s.Device, s.Name, s.Room = "hall", "Hall", "Hall"
			if phase == alert.Resolved {
				s.Ended = at
			}
			return []alert.State{s}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	reading := func(after time.Duration) []string {
		return states(f.Post(t, edgeReading(int(after/time.Second)+1, after, `"co2_ppm":612`)).Alerts)
	}
	expect := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	move("smoke/hall", false, alert.Firing, noon)
	move("smoke/attic", true, alert.Firing, noon)
	move("smoke/shed", false, alert.Pending, noon)
	expect("fires", reading(0), "smoke/hall firing Hall")
	expect("the same", reading(2*time.Second))
	expect("with a canary", states(f.Post(t, canaryAt(4*time.Second)).Alerts), "smoke/hall firing Hall")
	move("smoke/hall", false, alert.Resolved, noon.Add(5*time.Second))
	expect("resolves", reading(8*time.Second), "smoke/hall resolved Hall")
	expect("off", states(off.Post(t, canaryAt(9*time.Second)).Alerts))
	expect("a day later", states(f.Post(t, canaryAt(25*time.Hour)).Alerts), "smoke/hall removed")
}

// states returns "key state about" of published states.
func states(published map[string]json.RawMessage) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(published)) {
		var s struct{ State, About string }
		if err := json.Unmarshal(published[key], &s); err != nil || string(published[key]) == "null" {
			out = append(out, key+" removed")
			continue
		}
		out = append(out, fmt.Sprint(key, " ", s.State, " ", s.About))
	}
	return out
}
