package chaos

import (
	"fmt"
	"testing"
	"time"
)

// What a soak keeps to on one box with SQLite, at 100 messages a second or fewer.
const (
	soakParts   = 6
	mostSyncs   = 6   // fsyncs and fdatasyncs a second
	quietPace   = 20  // messages a second of a quiet house,
	quietSyncs  = 4   // which takes so many
	mostMemory  = 100 // MB, the program's own pages included
	mostGrowth  = 1.3 // times the processor time a message, from the first part of a long soak to its last
	longEnough  = 10 * time.Minute
	houseAtMost = 100 // messages a second
)

// TestSoak: make up with SQLite at a house's rate. Every reading is stored once,
// over a restart too, and neither time nor what is stored already makes the next
// one dearer. What depends on the machine is printed.
func TestSoak(t *testing.T) {
	b := newBox(t, before)
	counted := b.start(t, true)
	if !counted {
		t.Log("strace is not installed: syncs are not counted")
		b.start(t, false)
	}
	s := newSoak(t, b)
	s.publish(2 * time.Second) // what a start costs is not measured
	if counted {
		s.checkSyncs(s.part(soak / soakParts))
		b.start(t, false)
		s.publish(2 * time.Second)
	}
	var parts []part
	for range soakParts {
		p := s.part(soak / soakParts)
		t.Log(p)
		parts = append(parts, p)
	}
	s.verify()
	whole := sum(parts)
	t.Logf("%d messages/s for %s, with %d readings stored before: %s", pace, soak, before, whole)
	if whole.peak > mostMemory {
		t.Errorf("%.0f MB of memory, want %d at most", whole.peak, mostMemory)
	}
	if first, last := parts[0], parts[soakParts-1]; soak >= longEnough && last.cpu > mostGrowth*first.cpu {
		t.Errorf("the last messages took %.0f%% of the processor time of the first", 100*last.cpu/first.cpu)
	}
}

func (s *soaking) checkSyncs(p part) {
	s.t.Helper()
	s.t.Logf("%.1f syncs a second", p.syncs)
	most := mostSyncs
	if pace <= quietPace {
		most = quietSyncs
	}
	if p.syncs > float64(most) && pace <= houseAtMost {
		s.t.Errorf("%.1f syncs a second, want %d at most", p.syncs, most)
	}
}

// part is what was measured over a while.
type part struct {
	cpu            float64 // seconds a second
	syncs          float64 // a second, where they are counted
	memory, peak   float64 // MB, now and at most
	p50, p99, most time.Duration
}

func (p part) String() string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("%.1f %% of a core, %.0f MB (at most %.0f); from publishing to the store %.0f ms (99 %% within %.0f, all within %.0f)",
		100*p.cpu, p.memory, p.peak, ms(p.p50), ms(p.p99), ms(p.most))
}

// sum is the whole of parts that took equally long.
func sum(parts []part) (all part) {
	n := len(parts)
	for _, p := range parts {
		all.cpu += p.cpu / float64(n)
		all.p50 += p.p50 / time.Duration(n)
		all.p99, all.most = max(all.p99, p.p99), max(all.most, p.most)
		all.memory, all.peak = p.memory, max(all.peak, p.peak)
	}
	return all
}
