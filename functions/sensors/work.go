package function

import (
	"context"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// work is one batch on its way: read into what was said, then planned against
// the register, then stored.
type work struct {
	s       *sensors
	ms      []wire.Message
	now     time.Time
	set     *mapping.Set // of hearth.yml
	unread  error        // why there are settings that the set does not hold
	answer  wire.Answer
	said    []said
	values  []device.Value // of all, one after the other
	names   []byte         // physical ids, one after the other
	states  []status
	dead    map[string]store.DeadLetter
	canary  []canary
	numbers numbers
	counted []store.EdgeSeq
	boots   map[string]string // each once
}

// said is what a message said of one device.
type said struct {
	msg         int
	physical    []byte
	kind        string // of device
	name        string // what its source calls it; "" is what follows the first slash of physical
	measurement string
	from, to    int // its values
	text        map[string]string
	time        time.Time // zero: only the state is of interest
	quality     quality.Quality
	reason      string
	unsynced    *store.EdgeArrival
	simulated   bool
}

// read takes one message apart. An error is for good.
func (w *work) read(i int) error {
	m := &w.ms[i]
	switch kind, name := wire.Parse(m.Topic); kind {
	case wire.Canary:
		return w.readCanary(i, name)
	case wire.Dead:
		return w.readDead(m)
	case wire.Stored: // our own word
		return nil
	case wire.Status:
		return w.readStatus(i, name)
	case wire.Edge:
		return w.readEdge(i, name)
	default:
		if w.unread != nil { // a mapping may want it, in other units than its keys say
			w.answer.Again(m, w.unread.Error())
			return nil
		}
		return w.readOther(i)
	}
}

// physical writes a physical id where it stays for the batch.
func (w *work) physical(kind string, name []byte) []byte {
	start := len(w.names)
	w.names = append(append(w.names, kind...), name...)
	return w.names[start:len(w.names):len(w.names)]
}

// intern returns a short text that comes often as a string, once.
func (w *work) intern(b []byte) string {
	if s, ok := w.boots[string(b)]; ok {
		return s
	}
	if w.boots == nil {
		w.boots = map[string]string{}
	}
	s := string(b)
	w.boots[s] = s
	return s
}

// firstArrivals gives readings without a clock the time at which they came
// first: the edge sends again what it does not hear of.
func (w *work) firstArrivals(ctx context.Context, st *store.Store) error {
	var as []store.EdgeArrival
	var of []int
	for i := range w.said {
		if a := w.said[i].unsynced; a != nil {
			as, of = append(as, *a), append(of, i)
		}
	}
	if len(as) == 0 {
		return nil
	}
	times, err := st.FirstArrivals(ctx, as)
	for n, t := range times {
		w.said[of[n]].time = t
	}
	return err
}

// plan finds or makes the devices and takes everything in.
func (w *work) plan(ctx context.Context, b *ingest.Batch) error {
	if err := w.s.watch.Apply(ctx, w.set, b.Update); err != nil {
		return err
	}
	if err := b.Adopt(ctx, w.requests(b)); err != nil {
		return err
	}
	for i := range w.said {
		d := &w.said[i]
		m := &w.ms[d.msg]
		known := b.Find(d.physical)
		if known == nil {
			w.answer.Reject(m, b.Refused(d.physical))
			continue
		}
		b.Add(d.msg, ingest.Report{
			Measurement: d.measurement, Device: known.Logical, Values: w.values[d.from:d.to], Text: d.text,
			Time: d.time, Arrived: m.Time, Retained: m.Retained, Quality: d.quality, Reason: d.reason, Simulated: d.simulated,
		})
	}
	for _, s := range w.states {
		if err := s.plan(b); err != nil {
			w.answer.Reject(&w.ms[s.msg], err)
		}
	}
	for _, c := range w.canary {
		b.AddReading(c.msg, c.reading())
	}
	for _, d := range w.dead {
		b.Change.Dead = append(b.Change.Dead, d)
	}
	return nil
}

// requests asks for the devices of physical things that the register does not know.
func (w *work) requests(b *ingest.Batch) (requests []store.DeviceRequest) {
	asked := map[string]bool{}
	ask := func(physical []byte, kind, device_, name string) {
		if b.Find(physical) != nil || asked[string(physical)] {
			return
		}
		asked[string(physical)] = true
		requests = append(requests, store.DeviceRequest{Physical: string(physical), Kind: kind, Device: device_, Name: name})
	}
	for i := range w.said {
		d := &w.said[i]
		if b.Find(d.physical) != nil {
			continue
		}
		name := d.name
		if name == "" {
			_, name, _ = strings.Cut(string(d.physical), "/")
		}
		ask(d.physical, d.kind, idOf(name), name)
	}
	for _, s := range w.states {
		ask([]byte(s.physical()), "node", "edge-"+idOf(s.node), s.node)
	}
	for _, node := range w.numbers.names() {
		ask([]byte(nodePrefix+node), "node", "edge-"+idOf(node), node)
	}
	return requests
}

// idOf is the id that is requested for a device of this name.
func idOf(name string) string {
	if id := device.Slug(name); id != "" {
		return id
	}
	return "device"
}

// number has the store count what is missing of the nodes' numbers.
func (w *work) number(b *ingest.Batch) {
	nodes := w.numbers.names()
	if len(nodes) == 0 {
		return
	}
	b.Change.Nodes = nodes
	b.Change.Count = func(known []store.EdgeSeq) []store.EdgeSeq {
		w.counted = w.numbers.apply(known, w.now)
		return w.counted
	}
}

// stored completes the answer: what was refused, and up to where all readings of
// each node are stored.
func (w *work) stored(a ingest.Answer) {
	for _, refused := range [][]ingest.Refusal{a.Rejected, a.LeftOut} {
		for _, r := range refused {
			w.answer.Reject(&w.ms[r.Index], r.Reason)
		}
	}
	for node, e := range w.numbers.acks(w.counted) {
		if w.answer.Stored == nil {
			w.answer.Stored = map[string]wire.Place{}
		}
		w.answer.Stored[node] = wire.Place{Boot: e.Boot, Seq: e.Upto}
	}
}
