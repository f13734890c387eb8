package function

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// canary is a message that the connector publishes to measure the way to the store.
type canary struct {
	msg       int
	connector string
	sent      time.Time
	took      time.Duration
}

func (w *work) readCanary(i int, connector string) error {
	m := &w.ms[i]
	var c wire.CanaryNote
	if err := json.Unmarshal(m.Payload, &c); err != nil {
		return fmt.Errorf("decode the canary: %w", err)
	}
	if err := catalogue.CheckTime(c.Sent, m.Time); err != nil {
		return err
	}
	if len(connector) > maxName {
		return fmt.Errorf("the connector's name is longer than %d bytes", maxName)
	}
	w.canary = append(w.canary, canary{i, connector, c.Sent, max(0, w.now.Sub(c.Sent))})
	return nil
}

func (c canary) reading() reading.Reading {
	return reading.Reading{Name: canaryMeasurement, Tags: map[string]string{connectorLabel: device.ID(c.connector)},
		Fields: map[string]float64{"latency_seconds": c.took.Seconds()}, Time: c.sent.UTC()}
}

const (
	maxTopic  = 65535 // bytes, by MQTT
	maxReason = 4 << 10
	maxSample = 64 << 10 // bytes of a dead letter; connectors send 4 KiB
)

// readDead handles a connector's message about a dead letter: added, counted again or
// removed.
func (w *work) readDead(m *wire.Message) error {
	var n wire.DeadNotice
	if err := json.Unmarshal(m.Payload, &n); err != nil {
		return fmt.Errorf("decode the notice of a dead letter: %w", err)
	}
	d := store.DeadLetter{ID: n.ID, Function: n.Function, Topic: n.Topic, Reason: n.Reason, First: n.First, Last: n.Last,
		Count: n.Count, Size: n.Size, Sample: n.Excerpt, Gone: n.Gone, Reported: m.Time}
	if d.ID == "" || d.Function == "" {
		return errors.New("notice of a dead letter without its id and function")
	}
	if len(d.ID) > maxName || len(d.Function) > maxName || len(d.Topic) > maxTopic || len(d.Reason) > maxReason || len(d.Sample) > maxSample {
		return errors.New("notice of a dead letter with more than a connector writes")
	}
	for _, t := range []*time.Time{&d.First, &d.Last} {
		if catalogue.CheckTime(*t, m.Time) != nil {
			*t = m.Time
		}
	}
	if w.dead == nil {
		w.dead = map[string]store.DeadLetter{}
	}
	key := d.ID + "\x00" + d.Function
	if old, ok := w.dead[key]; !ok || d.Reported.After(old.Reported) {
		w.dead[key] = d
	}
	return nil
}

// status is a message at hearth/<node>/status: of the node itself, or its last will.
type status struct {
	msg      int
	node     string
	online   bool
	boot     string
	problem  string // of a connector, with the broker
	numbers  map[string]float64
	arrived  time.Time
	retained bool
}

func (s status) physical() string { return nodePrefix + s.node }

func (w *work) readStatus(i int, node string) error {
	m := &w.ms[i]
	if len(m.Payload) == 0 {
		return nil // a retained message was removed
	}
	if len(node) > maxName {
		return fmt.Errorf("the node's name is longer than %d bytes", maxName)
	}
	sent, numbers, err := wire.DecodeStatus(m.Payload)
	if err != nil {
		return err
	}
	s := status{msg: i, node: node, online: sent.State == wire.Online, boot: truncate([]byte(sent.Boot)), problem: truncate([]byte(sent.Problem)), numbers: map[string]float64{}, arrived: m.Time, retained: m.Retained}
	for k, v := range numbers {
		if key := catalogue.Key(k); key != "" {
			s.numbers[key] = v
		}
	}
	w.statuses = append(w.statuses, s)
	return nil
}

// addTo sets the node's states. A last will of an earlier boot is ignored: it arrives
// after the node has started again.
func (s status) addTo(b *ingest.Batch) error {
	known := b.Find([]byte(s.physical()))
	if known == nil {
		return b.Refused([]byte(s.physical()), nodeKind, device.PublisherOf(wire.StatusTopic(s.node)))
	}
	node := known.Logical
	if now, ok := b.State(node, "boot"); !s.online && ok && s.boot != "" && now.Text != s.boot {
		return nil
	}
	online := 0.0
	if s.online {
		online = 1
		if s.boot != "" {
			b.SetState(node, "boot", s.boot, 0, s.arrived, s.retained)
		}
	}
	b.SetState(node, "online", "", online, s.arrived, s.retained)
	if _, had := b.State(node, "problem"); s.problem != "" || had {
		b.SetState(node, "problem", cmp.Or(s.problem, "none"), 0, s.arrived, s.retained)
	}
	added := 0
	for k := range s.numbers {
		if _, ok := b.State(node, k); !ok {
			added++
		}
	}
	if err := b.CheckCapacity(node, added); err != nil {
		return err
	}
	for k, v := range s.numbers {
		b.SetState(node, k, "", v, s.arrived, s.retained)
	}
	return nil
}
