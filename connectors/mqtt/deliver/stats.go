package deliver

import (
	"maps"
	"time"
)

// Stats is what was counted since the start.
type Stats struct {
	RepliesLost  uint64        // answers that could not be published
	CanaryStored time.Time     // when the last canary was stored
	CanaryTook   time.Duration // of the last canary, from its arrival to the store's answer
	Functions    []FunctionStats
	GaveUp       map[string]uint64 // messages given up by functions that are gone
}

// FunctionStats is of one function.
type FunctionStats struct {
	Name    string
	Backlog uint64    // messages that wait for it
	Oldest  time.Time // arrival of the oldest of those, zero if there is none
	Lost    uint64    // messages dropped before it had them
	Stored  uint64
	Dead    uint64 // messages that became dead letters
	Calls   uint64
	Failed  uint64 // of the calls
}

// Stats returns what was counted.
func (d *Deliverer) Stats() Stats {
	c := d.outlet.canary
	s := Stats{RepliesLost: d.outlet.repliesLost.Load(), CanaryTook: time.Duration(c.took.Load()), GaveUp: d.gaveUp()}
	if at := c.stored.Load(); at != 0 {
		s.CanaryStored = time.Unix(0, at)
	}
	for _, c := range d.all() {
		backlog, oldest, lost := c.lag()
		name := c.f.Name
		s.Functions = append(s.Functions, FunctionStats{name, backlog, oldest, lost + s.GaveUp[name], c.stored.Load(), c.dead.Load(), c.calls.Load(), c.fails.Load()})
		delete(s.GaveUp, name)
	}
	return s
}

func (d *Deliverer) gaveUp() map[string]uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.lost)
}

func (d *Deliverer) all() (cs []*consumer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.consumers {
		cs = append(cs, r.consumer)
	}
	return cs
}
