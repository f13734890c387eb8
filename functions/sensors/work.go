package function

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// work is the state of one batch while it is processed: first decoded into reports,
// then added to the register's batch, then stored.
type work struct {
	s           *sensors
	ms          []wire.Message
	now         time.Time
	set         *mapping.Set // of hearth.yml
	settingsErr error        // there is a hearth.yml, but it could not be read
	answer      wire.Answer
	reports     []report
	values      []device.Value // of all reports, one after the other
	names       []byte         // physical ids of all reports, one after the other
	statuses    []status
	dead        map[string]store.DeadLetter
	canary      []canary
	numbers     numbers
	counted     []store.EdgeSeq
	interned    map[string]string // short texts, allocated once; see intern
	crowds      crowds
}

// report is what a message reports of one device.
type report struct {
	msg         int
	physical    []byte
	kind        string // of device
	name        string // by its source; "": the part of physical after the first slash
	measurement string
	from, to    int // its values: work.values[from:to]
	text        map[string]string
	time        time.Time // zero: unknown, then only states are set
	earlier     time.Time // a time that it may have as well, see firstOfTwo; zero: none
	quality     quality.Quality
	reason      string
	unsynced    *store.EdgeArrival
	simulated   bool
}

// readMessage decodes one message. An error rejects the message for good.
func (w *work) readMessage(i int) error {
	m := &w.ms[i]
	switch kind, name := wire.Parse(m.Topic); kind {
	case wire.Canary:
		return w.readCanary(i, name)
	case wire.Dead:
		return w.readDead(m)
	case wire.Stored, wire.Alert: // what this function made the connector publish
		return nil
	case wire.Status:
		return w.readStatus(i, name)
	case wire.Edge:
		return w.readEdge(i, name)
	default:
		if w.settingsErr != nil { // a mapping of hearth.yml may be meant for it, with other units than its keys suggest
			w.answer.RetryLater(m, w.settingsErr.Error())
			return nil
		}
		return w.readOther(i)
	}
}

// physical returns a physical id in a buffer that stays valid for the batch.
func (w *work) physical(kind string, name []byte) []byte {
	start := len(w.names)
	w.names = append(append(w.names, kind...), name...)
	return w.names[start:len(w.names):len(w.names)]
}

// intern returns a short text that comes often as a string, allocated once.
func (w *work) intern(b []byte) string {
	if s, ok := w.interned[string(b)]; ok {
		return s
	}
	if w.interned == nil {
		w.interned = map[string]string{}
	}
	s := string(b)
	w.interned[s] = s
	return s
}

// firstArrivals gives readings without a clock the time at which they arrived first.
// The edge sends a reading again until it is acknowledged, with the same number.
func (w *work) firstArrivals(ctx context.Context, st *store.Store) error {
	var as []store.EdgeArrival
	var of []int
	for i := range w.reports {
		if a := w.reports[i].unsynced; a != nil {
			as, of = append(as, *a), append(of, i)
		}
	}
	if len(as) == 0 {
		return nil
	}
	times, err := st.FirstArrivals(ctx, as)
	for n, t := range times {
		w.reports[of[n]].time = t
	}
	return err
}

// add adopts unknown devices and adds all reports, statuses, canaries and dead letters
// to b. An error is the store's.
func (w *work) add(ctx context.Context, st *store.Store, b *ingest.Batch) error {
	if err := w.s.watch.Apply(ctx, w.set, b.Update); err != nil {
		return err
	}
	if len(w.canary) > 0 {
		if err := w.s.connectors.read(ctx, st, w.now); err != nil {
			return err
		}
	}
	if err := b.Adopt(ctx, w.deviceRequests(b)); err != nil {
		return err
	}
	for i := range w.reports {
		d := &w.reports[i]
		m := &w.ms[d.msg]
		known := b.Find(d.physical)
		if known == nil {
			w.answer.Reject(m, cmp.Or(w.crowds.refused(d.physical, m.Topic), b.Refused(d.physical, d.kind, device.PublisherOf(m.Topic))))
			continue
		}
		if !d.earlier.IsZero() && w.firstOfTwo(b, known.Logical, i) {
			d.time = d.earlier
		}
		b.Add(d.msg, ingest.Report{
			Measurement: d.measurement, Device: known.Logical, Values: w.values[d.from:d.to], Text: d.text,
			Time: d.time, Arrived: m.Time, Retained: m.Retained, Replayed: m.Replay, Quality: d.quality, Reason: d.reason, Simulated: d.simulated,
		})
		markSimulated(b, known.Logical, d, m)
	}
	for _, s := range w.statuses {
		if err := s.addTo(b); err != nil {
			w.answer.Reject(&w.ms[s.msg], err)
		}
	}
	for _, c := range w.canary {
		if err := w.s.connectors.admit(device.ID(c.connector), w.now); err != nil {
			w.answer.Reject(&w.ms[c.msg], err)
			continue
		}
		b.AddReading(c.msg, c.reading())
	}
	for _, d := range w.dead {
		b.Change.Dead = append(b.Change.Dead, d)
	}
	return nil
}

// markSimulated keeps as a state of the device whether its last report was simulated: a
// real sensor may take the place of a simulated one.
func markSimulated(b *ingest.Batch, of *device.Device, d *report, m *wire.Message) {
	state, marked := b.State(of, simulatedKey)
	switch {
	case d.simulated && state.Value != 1:
		b.SetState(of, simulatedKey, "", 1, m.Time, m.Retained)
	case !d.simulated && marked && state.Value != 0:
		b.SetState(of, simulatedKey, "", 0, m.Time, m.Retained)
	}
}

// deviceRequests returns requests for the physical ids that are bound to no device.
func (w *work) deviceRequests(b *ingest.Batch) (out []store.DeviceRequest) {
	asked := map[string]bool{}
	ask := func(physical []byte, kind, id, name, topic string) {
		if b.Find(physical) != nil || asked[string(physical)] || !w.crowds.admit(b, physical) {
			return
		}
		asked[string(physical)] = true
		out = append(out, store.DeviceRequest{Physical: string(physical), Kind: kind, Device: id, Name: name, About: aboutOf(topic), Publisher: device.PublisherOf(topic)})
	}
	for i := range w.reports {
		d := &w.reports[i]
		if b.Find(d.physical) != nil {
			continue
		}
		name := d.name
		if name == "" {
			_, name, _ = strings.Cut(string(d.physical), "/")
		}
		ask(d.physical, d.kind, device.ID(name), name, w.ms[d.msg].Topic)
	}
	for _, s := range w.statuses {
		ask([]byte(s.physical()), nodeKind, "edge-"+device.ID(s.node), s.node, wire.StatusTopic(s.node))
	}
	for _, node := range w.numbers.names() {
		ask([]byte(nodePrefix+node), nodeKind, "edge-"+device.ID(node), node, wire.StatusTopic(node))
	}
	return out
}

// aboutOf describes a device by the topic on which it was seen first.
func aboutOf(topic string) json.RawMessage {
	if device.CheckName(topic) != nil {
		return nil
	}
	b, _ := json.Marshal(struct { // cannot fail: it holds only a text
		Topic string `json:"topic"`
	}{topic})
	return b
}

// countNumbers makes the store update the numbering of edge nodes in its transaction.
func (w *work) countNumbers(b *ingest.Batch) {
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

// completeAnswer adds to the answer what was refused, and up to which number all
// readings of each node are stored.
func (w *work) completeAnswer(a ingest.Answer) {
	for _, refused := range [][]ingest.Refusal{a.Rejected, a.LeftOut} {
		for _, r := range refused {
			w.answer.Reject(&w.ms[r.Index], r.Reason)
		}
	}
	for node, e := range w.numbers.acks(w.counted) {
		if w.answer.Stored == nil {
			w.answer.Stored = map[string]wire.StoredUpTo{}
		}
		w.answer.Stored[node] = wire.StoredUpTo{Boot: e.Boot, Seq: e.Upto}
	}
}
