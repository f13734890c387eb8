package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/store"
)

func TestDeadLettersAreMirrored(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		d := store.DeadLetter{ID: "a", Function: "f", Topic: "t", Reason: strings.Repeat("x", 300), First: noon, Last: noon, Count: 1, Size: 3, Sample: []byte{0, 1, 0xff}, Reported: noon}
		gone := d
		gone.Gone, gone.Reported = true, noon.Add(time.Second)
		other := d
		other.Function, other.Sample = "g", []byte{7}
		for _, letters := range [][]store.DeadLetter{{d, other}, {gone}, {d}} {
			if err := saveDevices(t.Context(), s, store.DeviceChange{Dead: letters}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.DeadLetters(t.Context(), 10)
		if diff := cmp.Diff([]store.DeadLetter{other}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestPruneDeadLettersDeletesAtMostItsLimit(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var letters []store.DeadLetter
		for i := range 10 {
			letters = append(letters, store.DeadLetter{ID: fmt.Sprint(i), Function: "f", Reason: "r", First: noon, Last: noon, Reported: noon.Add(time.Duration(i) * time.Hour), Gone: i != 3})
		}
		if err := saveDevices(t.Context(), s, store.DeviceChange{Dead: letters}); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int64{4, 2, 0} { // 0 to 6 without 3, which is not gone
			n, err := s.PruneDeadLetters(t.Context(), noon.Add(7*time.Hour), 4)
			if err != nil || n != want {
				t.Errorf("%d: deleted %d, %v, want %d", i, n, err, want)
			}
		}
		if got := s.CountDeadLetters(t); got != 4 {
			t.Errorf("%d are left, want 4: number 3 and 7 to 9", got)
		}
		if plan := s.Explain(t, `select id, function from dead_letters where gone and told < '2026-01-01' order by told limit 4`); !strings.Contains(plan, "dead_letters_gone") {
			t.Errorf("the index is not used: %s", plan)
		}
	})
}

// The causes are counted by an index: the samples of 100,000 letters are not read for it.
func TestDeadLettersAreCountedByCause(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var dead []store.DeadLetter
		text := strings.Repeat("ü", 300)
		for i, reason := range []string{"no device", "no device", "broken", text + "1", text + "2"} {
			dead = append(dead, store.DeadLetter{ID: fmt.Sprint(i), Function: "zigbee", Reason: reason, Reported: noon, First: noon, Last: noon})
		}
		dead = append(dead, store.DeadLetter{ID: "6", Function: "other", Reason: "broken", Reported: noon, First: noon, Last: noon, Gone: true})
		if err := saveDevices(t.Context(), s, store.DeviceChange{Dead: dead}); err != nil {
			t.Fatal(err)
		}
		got, err := s.DeadCauses(t.Context(), 2)
		if want := []store.DeadCause{{Function: "zigbee", Reason: "no device", Letters: 2}, {Function: "zigbee", Reason: text[:400], Letters: 2}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		plan := s.Explain(t, `select function, substr(reason, 1, 200), count(*) from dead_letters where not gone group by function, substr(reason, 1, 200)`)
		if !strings.Contains(plan, "dead_letters_by_cause") {
			t.Errorf("plan %s", plan)
		}
	})
}
