package deliver

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/spool"
)

func TestTheWatermarkNeverPassesAnOpenRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		state := map[spool.Seq]bool{}
		first := spool.Seq(rapid.IntRange(1, 50).Draw(t, "first"))
		next := first
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "add") {
				skip := spool.Seq(rapid.IntRange(0, 2).Draw(t, "skip"))
				if next == first {
					skip = 0
				}
				for range skip {
					state[next] = true
					next++
				}
				done := rapid.Bool().Draw(t, "done")
				w.add(next, done)
				state[next] = done
				next++
			} else if next > first {
				seq := first + spool.Seq(rapid.IntRange(0, int(next-first)-1).Draw(t, "seq"))
				w.finish(seq)
				state[seq] = true
			}
			want := first
			for want < next && state[want] {
				want++
			}
			if low, any := w.watermark(); next > first && (!any || low != want-1) {
				t.Fatalf("watermark = %d, %v; want %d", low, any, want-1)
			}
			idle := true
			for _, done := range state {
				idle = idle && done
			}
			if w.idle() != idle {
				t.Fatalf("idle = %v, want %v", w.idle(), idle)
			}
		}
	})
}

// A damaged spool may skip any number of records. Only those that are not done take memory.
func TestSkippedRecordsTakeNoMemory(t *testing.T) {
	var w window
	const far = spool.Seq(1) << 60
	w.add(1, false)
	w.add(far, false)
	for i := range spool.Seq(1000) {
		w.add(far+1+i, true)
	}
	if low, moved := w.finish(1); low != far-1 || !moved || len(w.pending) > 2 {
		t.Errorf("watermark %d, moved: %v, %d pending", low, moved, len(w.pending))
	}
	if low, moved := w.finish(far); low != far+1000 || !moved || !w.idle() {
		t.Errorf("watermark %d, moved: %v", low, moved)
	}
}
