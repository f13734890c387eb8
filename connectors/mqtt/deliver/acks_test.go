package deliver

import (
	"slices"
	"testing"

	"github.com/hearth-home/hearth/shared/wire"
)

// TestANodeThatGoesQuietGetsItsNumberSoon: with Options.ByLoad, a number that rises in
// each round is published in every fifth, and one that does not rise in the second.
func TestANodeThatGoesQuietGetsItsNumberSoon(t *testing.T) {
	for rounds, want := range map[int]struct{ busy, quiet []int }{
		1:               {[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []int{1}},
		ackRoundsByLoad: {[]int{5, 10}, []int{2}},
	} {
		a := &acks{pending: map[string]*pendingAck{}, maxRounds: rounds}
		got := map[string][]int{}
		a.set("quiet", wire.StoredUpTo{Boot: "b", Seq: 1})
		for round := 1; round <= 10; round++ {
			a.set("busy", wire.StoredUpTo{Boot: "b", Seq: uint64(round)})
			for node := range a.due() {
				got[node] = append(got[node], round)
			}
		}
		if !slices.Equal(got["busy"], want.busy) || !slices.Equal(got["quiet"], want.quiet) {
			t.Errorf("at most %d rounds: published in rounds %v, want %v", rounds, got, want)
		}
	}
}
