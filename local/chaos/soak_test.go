package chaos

import (
	"fmt"
	"testing"
	"time"
)

// The limits of a soak test on one machine with SQLite, at 100 messages a second or
// fewer.
const (
	soakParts  = 6
	mostSyncs  = 6                // fsyncs and fdatasyncs a second
	quietPace  = 20               // messages a second of a quiet home
	quietSyncs = 4                // syncs a second at quietPace
	mostMemory = 100              // MB, the pages of the program's file included
	mostGrowth = 1.3              // times the processor time of a new platform, at the end of a long soak
	fewStored  = 20_000           // in the database of the new platform
	longEnough = 10 * time.Minute // soaks from here on are checked for growth
	mostPace   = 100              // messages a second up to which syncs are checked
)

// TestSoak runs make up with SQLite at the rate of a home. Every reading must be stored
// exactly once, also across a restart. A reading must not cost more after a longer
// time or in a larger database. Figures that depend on the machine are only logged.
func TestSoak(t *testing.T) {
	b := newBox(t, before)
	counted := b.start(t, true)
	if !counted {
		t.Log("not tested: the number of syncs")
		b.start(t, false)
	}
	s := newSoak(t, b)
	s.publish(2 * time.Second) // the cost of the start is not measured
	if counted {
		s.checkSyncs(s.cost(soak / soakParts))
		b.start(t, false)
		s.publish(2 * time.Second)
	}
	var parts []cost
	for range soakParts {
		p := s.cost(soak / soakParts)
		t.Log(p)
		parts = append(parts, p)
	}
	s.verify()
	whole := sum(parts)
	t.Logf("%d messages/s for %s, with %d readings stored before: %s", pace, soak, before, whole)
	if whole.peak > mostMemory {
		t.Errorf("%.0f MB of memory, want %d at most", whole.peak, mostMemory)
	}
	s.compare()
}

// compare runs a second platform, with few readings stored, beside the first one. Both
// get the same messages at the same time, so what else the machine does makes no
// difference. The old platform must not use much more processor time.
func (s *soaking) compare() {
	s.t.Helper()
	b := newBox(s.t, fewStored)
	b.start(s.t, false)
	fresh := newSoak(s.t, b)
	d := min(soak/soakParts, 2*time.Minute)
	s.publishBoth(fresh, d) // until the new one's caches are full, too
	here, there := s.box.measure(s.t), fresh.box.measure(s.t)
	s.publishBoth(fresh, d)
	old, young := s.box.since(s.t, here), fresh.box.since(s.t, there)
	s.t.Logf("at the same time, the old platform used %.1f %% of a core and a new one %.1f %%", 100*old.cpu, 100*young.cpu)
	if soak >= longEnough && old.cpu > mostGrowth*young.cpu {
		s.t.Errorf("the old platform used %.0f %% of the processor time of a new one", 100*old.cpu/young.cpu)
	}
}

func (s *soaking) publishBoth(other *soaking, d time.Duration) {
	done := make(chan struct{})
	go func() { defer close(done); other.publish(d) }()
	s.publish(d)
	<-done
}

func (s *soaking) checkSyncs(p cost) {
	s.t.Helper()
	s.t.Logf("%.1f syncs a second", p.syncs)
	most := mostSyncs
	if pace <= quietPace {
		most = quietSyncs
	}
	if p.syncs > float64(most) && pace <= mostPace {
		s.t.Errorf("%.1f syncs a second, want %d at most", p.syncs, most)
	}
}

// cost is what the platform used and how fast it was, over a period.
type cost struct {
	cpu            float64       // processor seconds per second
	syncs          float64       // a second; 0 where they are not counted
	memory, peak   float64       // MB, at the end and at most
	p50, p99, most time.Duration // from publishing a reading to the database
}

func (p cost) String() string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("%.1f %% of a core, %.0f MB (at most %.0f); from publishing to the store %.0f ms (99 %% within %.0f, all within %.0f)",
		100*p.cpu, p.memory, p.peak, ms(p.p50), ms(p.p99), ms(p.most))
}

// sum returns the cost of all parts together, which are equally long. Its p50 is the
// parts' average.
func sum(parts []cost) (all cost) {
	n := len(parts)
	for _, p := range parts {
		all.cpu += p.cpu / float64(n)
		all.p50 += p.p50 / time.Duration(n)
		all.p99, all.most = max(all.p99, p.p99), max(all.most, p.most)
		all.memory, all.peak = p.memory, max(all.peak, p.peak)
	}
	return all
}
