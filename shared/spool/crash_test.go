package spool

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var crashOptions = map[string]Options{
	"unbounded": {SegmentBytes: 150},
	"drops":     {SegmentBytes: 150, MaxBytes: 1200},
	"refuses":   {SegmentBytes: 150, MaxRecords: 24, Policy: RefuseNewest},
}

// script returns steps that use everything: appends, reads, commits, new and removed
// segments, a reader that falls behind, kills and clean restarts.
func script() (steps []step) {
	for i := range 12 {
		steps = append(steps, appendStep(1+i%3, 5*i), appendStep(1, 5), readStep("a", 4, 3), writeStep)
		if i%2 == 1 {
			steps = append(steps, readStep("b", 2, 1), syncStep)
		}
		switch i {
		case 3, 9:
			steps = append(steps, killStep)
		case 6:
			steps = append(steps, reopenStep)
		}
	}
	return append(steps, reopenStep)
}

func TestPowerCutAtEveryOperationLosesNothingAcknowledged(t *testing.T) {
	seeds := uint64(12)
	if testing.Short() {
		seeds = 3
	}
	for name, o := range crashOptions {
		t.Run(name, func(t *testing.T) {
			counting := newMemFS()
			newHistory(t, o, counting).run(script())
			if counting.ops < 80 {
				t.Fatalf("only %d operations", counting.ops)
			}
			for cut := 1; cut <= counting.ops; cut++ {
				for seed := range seeds {
					rng := seeded(uint64(cut)<<8 | seed)
					mem := newMemFS()
					mem.cutAt = cut
					h := newHistory(t, o, mem)
					h.where = fmt.Sprintf("cut %d, seed %d", cut, seed)
					h.run(script())
					h.powerCut(rng)
					h.mem.cutAt = h.mem.ops + 1 + rng.IntN(counting.ops) // a second power cut
					h.runSteps(script())
					h.powerCut(rng)
				}
			}
			t.Logf("%d operations, %d power cuts at each, each with a second power cut", counting.ops, seeds)
		})
	}
}

func TestAnyStepsWithPowerCutsLoseNothingAcknowledged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			SegmentBytes: rapid.Int64Range(40, 400).Draw(t, "segment"),
			MaxBytes:     rapid.SampledFrom([]int64{0, 0, 800, 3000}).Draw(t, "bytes"),
			MaxRecords:   rapid.SampledFrom([]int64{0, 0, 10, 40}).Draw(t, "records"),
			Policy:       rapid.SampledFrom([]Policy{DropOldest, RefuseNewest}).Draw(t, "policy"),
			Sync:         rapid.SampledFrom([]time.Duration{0, 0, 0, never}).Draw(t, "sync"),
			Memory:       rapid.SampledFrom([]int64{1, 1 << 20}).Draw(t, "memory"),
		}
		steps := rapid.SliceOfN(rapid.Custom(anyStep), 1, 30)
		h := newHistory(t, o, newMemFS())
		h.mem.cutAt = rapid.IntRange(1, 80).Draw(t, "cut")
		h.run(steps.Draw(t, "steps"))
		for range rapid.IntRange(1, 4).Draw(t, "cuts") {
			h.powerCut(seeded(rapid.Uint64().Draw(t, "chance")))
			h.mem.cutAt = h.mem.ops + rapid.IntRange(1, 80).Draw(t, "cut")
			h.runSteps(steps.Draw(t, "steps"))
		}
		h.powerCut(seeded(1))
	})
}

// A process whose fsync failed is killed. The next one must not take the cursors that it
// finds for durable: a later fsync writes nothing of what a failed one was for.
func TestCursorsOfAFailedSyncAreWrittenAgain(t *testing.T) {
	h := newHistory(t, Options{}, newMemFS())
	h.open()
	h.runSteps([]step{appendStep(2, 10), readStep("a", 1, 1), syncStep, faultStep(-1, true), readStep("a", 1, 1), syncStep,
		faultStep(-1, false), killStep, syncStep})
	if h.saved["a"] != 2 {
		t.Fatalf("saved %v, want both records of a", h.saved)
	}
	h.powerCut(seeded(1)) // checks the cursors
}

func anyStep(t *rapid.T) step {
	reader := rapid.SampledFrom([]string{"a", "b"})
	count := rapid.IntRange(0, 12)
	switch rapid.IntRange(0, 10).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]step{reopenStep, killStep}).Draw(t, "end")
	case 1:
		return faultStep(rapid.SampledFrom([]int64{-1, -1, 0, 20, 200}).Draw(t, "space"), rapid.Bool().Draw(t, "bad"))
	case 2:
		return syncStep
	case 10:
		return writeStep
	case 3, 4, 5:
		return readStep(reader.Draw(t, "reader"), count.Draw(t, "read"), count.Draw(t, "commit"))
	default:
		return appendStep(rapid.IntRange(1, 8).Draw(t, "records"), rapid.IntRange(0, 100).Draw(t, "size"))
	}
}

// faultStep leaves space bytes free on the disk (-1 = no limit) and makes its syncs
// fail (bad) or work.
func faultStep(space int64, bad bool) step {
	return step{fmt.Sprintf("space %d, syncs fail %v", space, bad), func(h *history) bool {
		h.mem.space, h.mem.syncs = space, nil
		if bad {
			h.mem.syncs = syscall.EIO
		}
		return true
	}}
}
