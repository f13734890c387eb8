// Package function stores the messages of Zigbee2MQTT for any Zigbee device: numbers
// and switches in the units that the device itself declares, button presses and
// availability. It learns the devices from the bridge's list.
package function

import (
	"context"
	"strings"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/ingest"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

// Config is read from the environment.
type Config struct {
	Settings secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml; its section devices gives devices names and rooms, and says which device replaces which
	Bases    config.List   `env:"ZIGBEE_BASES" envDefault:"zigbee2mqtt"`               // base topics of the Zigbee2MQTT instances: zigbee2mqtt,attic/zigbee2mqtt; ZIGBEE_TOPICS=attic/zigbee2mqtt/# subscribes to the second
}

// Handle is the entry point of the template golang-http.
var Handle = serve.HandleFunc(New)

// New returns the function's handler. The error names all wrong variables of env.
func New(env serve.Env) (func(handler.Request) (handler.Response, error), error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	z := &zigbee{register: device.Register{Function: "zigbee"}, index: &index{}, refused: map[string]map[string]refusal{}, watch: mapping.NewWatch(c.Settings, env.Log)}
	for _, base := range c.Bases {
		z.bases = append(z.bases, strings.TrimSuffix(base, "/"))
	}
	return mqttbatch.Func(env, "zigbee", z.transform)
}

// zigbee is the function: what it keeps from one batch to the next.
type zigbee struct {
	bases    []string
	watch    *mapping.Watch
	register device.Register
	index    *index                        // used only while a batch holds the register
	refused  map[string]map[string]refusal // what the register had no room for, by base topic and name; the same
	tried    uint64                        // the register's version when refused was last tried again
	replays  mqttbatch.Replays
}

// nameTimeout is how long messages of an unknown name are retried before they are
// rejected. The bridge publishes its list when a device joins, so the name may follow.
const nameTimeout = 60 * time.Second

// transform stores a batch. It reads the bridge's lists first, since the other
// messages are matched with devices by them.
func (z *zigbee) transform(ctx context.Context, st *store.Store, ms []wire.Message, now time.Time) (wire.Answer, error) {
	w := &work{z: z, ms: ms, now: now, bridges: map[string]*device.Device{}}
	b, err := ingest.Begin(ctx, st, &z.register, catalogue.Get, now)
	if err != nil {
		return w.answer, err
	}
	err = w.plan(ctx, b)
	b.Done(err)
	if err != nil {
		return w.answer, err
	}
	a, err := b.Store(ctx)
	for _, refused := range [][]ingest.Refusal{a.Rejected, a.LeftOut} {
		for _, r := range refused {
			w.answer.Reject(&ms[r.Index], r.Reason)
		}
	}
	if err == nil {
		z.replays.Answer(&w.answer, now)
	}
	return w.answer, err
}

// work is the state of one batch while it is processed.
type work struct {
	z       *zigbee
	b       *ingest.Batch
	ms      []wire.Message
	now     time.Time
	bridges map[string]*device.Device // by base
	answer  wire.Answer
	values  []device.Value     // the values of all messages, one message after the other
	texts   []device.TextState // a buffer for the texts of one message
}

// plan adds all messages to the batch b. An error is the store's.
func (w *work) plan(ctx context.Context, b *ingest.Batch) error {
	w.b = b
	set, _ := w.z.watch.Set(w.now) // if hearth.yml cannot be read, the set is empty and Apply changes nothing
	if err := w.z.watch.Apply(ctx, set, b.Update); err != nil {
		return err
	}
	w.z.index = currentIndex(w.z.index, b)
	for _, base := range w.z.bases {
		var err error
		if w.bridges[base], err = w.bridgeDevice(ctx, base); err != nil {
			return err
		}
	}
	if err := w.adoptRefused(ctx); err != nil {
		return err
	}
	for i := range w.ms {
		if err := w.readList(ctx, &w.ms[i]); err != nil {
			return err
		}
	}
	for i := range w.ms {
		w.readMessage(i)
	}
	return nil
}

// readMessage handles any message but the bridge's lists.
func (w *work) readMessage(i int) {
	m := &w.ms[i]
	base, rest, ok := w.z.split(m.Topic)
	switch {
	case !ok:
		w.answer.Reject(m, errBase)
	case len(m.Payload) == 0: // a retained message was removed
	case rest == "bridge/state":
		online, err := parseAvailability(m.Payload)
		if err == nil {
			w.setAvailable(i, w.bridges[base], online)
		}
		w.rejectIf(m, err)
	case rest == "bridge" || strings.HasPrefix(rest, "bridge/"):
	default:
		w.readDevice(i, base, rest)
	}
}

// rejectIf rejects a message if err is not nil.
func (w *work) rejectIf(m *wire.Message, err error) {
	if err != nil {
		w.answer.Reject(m, err)
	}
}

// split divides a topic into a base topic, the longest that fits, and the rest.
func (z *zigbee) split(topic string) (base, rest string, ok bool) {
	for _, b := range z.bases {
		if after, fits := strings.CutPrefix(topic, b+"/"); fits && len(b) >= len(base) {
			base, rest, ok = b, after, true
		}
	}
	return base, rest, ok
}

// readDevice handles a message of a device or of its availability. A device's name may
// contain slashes. So the last level of the topic is part of the name if the whole is
// a known name, else an attribute of the device.
func (w *work) readDevice(i int, base, rest string) {
	m := &w.ms[i]
	if d := w.z.index.find(base, rest); d != nil {
		w.rejectIf(m, w.readState(i, d))
		return
	}
	name, last := rest, ""
	if slash := strings.LastIndexByte(rest, '/'); slash > 0 {
		name, last = rest[:slash], rest[slash+1:]
	}
	switch d := w.z.index.find(base, name); {
	case d != nil && last == "availability":
		w.rejectIf(m, w.readAvailability(i, d))
		return
	case d != nil && (last == "set" || last == "get"):
		return
	case d != nil:
		w.answer.Reject(m, errAttribute)
		return
	case last == "set" || last == "get" || strings.Contains(rest, "/set/") || strings.Contains(rest, "/get/"):
		return // a command to a device, not a report
	case last == "availability":
		rest = name
	}
	if r, ok := w.z.refused[base][rest]; ok {
		w.answer.Reject(m, r.reason)
		return
	}
	if !m.Replay && w.now.Sub(m.Time) < nameTimeout {
		w.answer.RetryLater(m, "its name is not in the bridge's list yet")
		return
	}
	w.answer.Reject(m, unknownName(rest))
}
