package agent

import (
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

// numbering makes readings from samples: it gives each a number, and a time if the
// clock is set.
type numbering struct {
	node, boot string
	simulated  bool
	timekeeper *timekeeper

	seq   uint64
	last  map[string]time.Duration // monotonic time of the last reading, by device
	times increasing
}

func newNumbering(node, boot string, simulated bool, c *timekeeper) *numbering {
	return &numbering{node: node, boot: boot, simulated: simulated, timekeeper: c, last: map[string]time.Duration{}, times: increasing{}}
}

// next makes the next reading. While the clock is not set the reading is held: it has
// a monotonic time instead of a wall time.
func (n *numbering) next(t takenSample) *record {
	n.seq++
	if last, ok := n.last[t.config.Device]; ok {
		t.mono = max(t.mono, last+time.Millisecond)
	}
	n.last[t.config.Device] = t.mono
	r := &record{Node: n.node, Reading: wire.Reading{
		Device: t.config.Device, Sensor: t.config.Kind.Name, Measurement: t.config.Kind.Measurement(), Boot: n.boot, Seq: n.seq,
		Fields: t.sample.Fields, Text: t.sample.Text, Quality: string(t.sample.Quality), Reason: t.sample.Reason, Sample: n.simulated,
	}}
	if clock := n.timekeeper.clock; n.timekeeper.synced() {
		at := n.timekeeper.now().Add(t.mono - clock.mono())
		r.Time = n.times.next(r.Device, at).Format(wire.TimeLayout)
	} else {
		r.Held = &monotonic{clock.kernel, t.mono}
	}
	return r
}

// increasing makes the times of each device increase strictly. A time that does not is
// replaced by the last one plus a millisecond, since two readings with the same time
// are stored as one. A clock set back by more than maxBackStep is taken as it is. The
// value is the last time by device.
type increasing map[string]time.Time

const maxBackStep = 5 * time.Second

func (r increasing) next(device string, t time.Time) time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	if last := r[device]; !t.After(last) && last.Sub(t) < maxBackStep {
		t = last.Add(time.Millisecond)
	}
	r[device] = t
	return t
}
