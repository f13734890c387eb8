package deliver

import (
	"maps"
	"time"
)

// Stats are the counts since the start.
type Stats struct {
	RepliesLost  uint64        // answers of functions with mqtt-reply that could not be published
	CanaryStored time.Time     // when the last canary was stored; zero: none yet
	CanaryTook   time.Duration // latency of the last canary, from its arrival to the function's answer
	Functions    []FunctionStats
	Evicted      map[string]uint64 // messages, by function; only of functions without an entry in Functions
}

// FunctionStats are the counts of one function.
type FunctionStats struct {
	Name    string
	Backlog uint64    // messages that are not yet done
	Oldest  time.Time // arrival of the oldest of the backlog; zero: no backlog
	Lost    uint64    // messages that the spool dropped, or that were evicted, before delivery
	Stored  uint64    // messages
	Dead    uint64    // messages that became dead letters
	Calls   uint64
	Failed  uint64 // calls
}

// Stats returns the counts since the start.
func (d *Deliverer) Stats() Stats {
	c := d.outputs.canary
	s := Stats{RepliesLost: d.outputs.repliesLost.Load(), CanaryTook: time.Duration(c.took.Load()), Evicted: d.evictions()}
	if at := c.stored.Load(); at != 0 {
		s.CanaryStored = time.Unix(0, at)
	}
	for _, c := range d.all() {
		backlog, oldest, lost := c.lag()
		name := c.f.Name
		s.Functions = append(s.Functions, FunctionStats{name, backlog, oldest, lost + s.Evicted[name], c.stored.Load(), c.dead.Load(), c.called.Load(), c.failures.Load()})
		delete(s.Evicted, name)
	}
	return s
}

func (d *Deliverer) evictions() map[string]uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.evicted)
}

func (d *Deliverer) all() (cs []*consumer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.consumers {
		cs = append(cs, r.consumer)
	}
	return cs
}
