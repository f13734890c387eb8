package deliver

import (
	"slices"
	"testing"

	"github.com/hearth-home/hearth/shared/wire"
)

// TestANodeThatGoesQuietGetsItsNumberSoon: by load a number that goes on rising is
// published seldom, and one that stands still at the second look.
func TestANodeThatGoesQuietGetsItsNumberSoon(t *testing.T) {
	for looks, want := range map[int]struct{ busy, quiet []int }{
		1:         {[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []int{1}},
		ackByLoad: {[]int{5, 10}, []int{2}},
	} {
		a := &acks{pending: map[string]*ackDue{}, looks: looks}
		got := map[string][]int{}
		a.set("quiet", wire.Place{Boot: "b", Seq: 1})
		for look := 1; look <= 10; look++ {
			a.set("busy", wire.Place{Boot: "b", Seq: uint64(look)})
			for node := range a.due() {
				got[node] = append(got[node], look)
			}
		}
		if !slices.Equal(got["busy"], want.busy) || !slices.Equal(got["quiet"], want.quiet) {
			t.Errorf("within %d looks: published at %v, want %v", looks, got, want)
		}
	}
}
