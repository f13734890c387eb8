package agent

import (
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

// numbering makes readings of samples: it numbers them, and gives them the time where
// that is known.
type numbering struct {
	node, boot string
	simulated  bool
	calendar   *calendar

	seq  uint64
	last map[string]time.Duration // moment of the last reading, by device
	live rising
}

func newNumbering(node, boot string, simulated bool, c *calendar) *numbering {
	return &numbering{node: node, boot: boot, simulated: simulated, calendar: c, last: map[string]time.Duration{}, live: rising{}}
}

// next makes the next reading. While the clock is not set it is held: it has its
// moment instead of a time.
func (n *numbering) next(t taken) *record {
	n.seq++
	if last, ok := n.last[t.set.Device]; ok {
		t.mono = max(t.mono, last+time.Millisecond)
	}
	n.last[t.set.Device] = t.mono
	r := &record{Node: n.node, Reading: wire.Reading{
		Device: t.set.Device, Sensor: t.set.Kind.Name, Measurement: t.set.Kind.Measurement(), Boot: n.boot, Seq: n.seq,
		Fields: t.sample.Fields, Text: t.sample.Text, Quality: string(t.sample.Quality), Reason: t.sample.Reason, Sample: n.simulated,
	}}
	if clock := n.calendar.clock; n.calendar.ok() {
		at := n.calendar.now().Add(t.mono - clock.Mono())
		r.Time = n.live.next(r.Device, at).Format(wire.TimeLayout)
	} else {
		r.Held = &moment{clock.Kernel, t.mono}
	}
	return r
}

// rising makes the times of a device increase strictly, by a millisecond where
// they would not: two readings of one time would be stored as one. A clock that was
// set back by more than a few seconds is believed.
type rising map[string]time.Time

const setBack = 5 * time.Second

func (r rising) next(device string, t time.Time) time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	if last := r[device]; !t.After(last) && last.Sub(t) < setBack {
		t = last.Add(time.Millisecond)
	}
	r[device] = t
	return t
}
