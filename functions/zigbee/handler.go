// Package function stores the messages of Zigbee2MQTT for any Zigbee device: numbers
// and switches in the units that the device itself declares, button presses and
// availability. It learns the devices from the bridge's list.
package function

import (
	"bytes"
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
	"github.com/hearth-home/hearth/shared/scan"
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
	z := &zigbee{register: device.Register{Function: "zigbee"}, index: &index{}, refused: map[string]map[string]refusal{}, outputs: map[string]string{}, watch: mapping.NewWatch(c.Settings, env.Log)}
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
	outputs  map[string]string             // the setting output of Zigbee2MQTT, by base topic; "": not known
	replays  mqttbatch.Replays
}

// nameTimeout is how long messages of an unknown name are retried before they are
// rejected. The bridge publishes its list when a device joins, so the name may follow.
const nameTimeout = 60 * time.Second

// transform stores a batch. It reads the bridge's lists first, since the other
// messages are matched with devices by them.
func (z *zigbee) transform(ctx context.Context, st *store.Store, in mqttbatch.Batch) (wire.Answer, error) {
	ms, now := in.Messages, in.Now
	w := &work{z: z, ms: ms, now: now, bridges: map[string]*device.Device{}}
	b, err := ingest.Begin(ctx, st, &z.register, catalogue.Get, now)
	if err != nil {
		return w.answer, err
	}
	b.Watch(in.House, in.Rules)
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
	b.Compute(set.Computed())
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
	case !ok && strings.HasPrefix(m.Topic, "homeassistant/"): // how Home Assistant is to read the devices
	case !ok:
		w.answer.Reject(m, errBase)
	case len(m.Payload) == 0: // a retained message was removed
	case rest == "bridge/state":
		online, err := parseAvailability(m.Payload)
		if err == nil {
			w.setAvailable(i, w.bridges[base], online)
		}
		w.rejectIf(m, err)
	case rest == "bridge/info":
		w.readInfo(base, m.Payload)
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

// readDevice handles a message of a device, of its availability or of one of its
// attributes. A device's name may contain slashes, and may be that of another device and
// an attribute; then the payload decides.
func (w *work) readDevice(i int, base, rest string) {
	m := &w.ms[i]
	isObject := scan.New(m.Payload).Kind() == scan.Object
	d := w.z.index.find(base, rest)
	if d != nil && isObject {
		w.rejectIf(m, w.readState(i, d))
		return
	}
	owner, path := w.z.index.owner(base, rest)
	name, isAvailability := strings.CutSuffix(rest, "/availability")
	switch {
	case d != nil && owner == nil:
		w.rejectIf(m, w.readState(i, d))
	case isAvailability && owner != nil && path == "availability":
		w.rejectIf(m, w.readAvailability(i, owner))
	case isCommand(rest): // no report
	case isAvailability:
		w.rejectName(m, base, name)
	case isObject && (owner == nil || bytes.Contains(m.Payload, []byte(`"linkquality"`))): // a device's, as all of these have it
		w.rejectName(m, base, rest)
	case isObject: // the part of one endpoint, for Home Assistant
	case owner != nil:
		w.readSingle(i, owner, path)
	default: // an attribute of a device that the list does not have yet
		if slash := strings.LastIndexByte(rest, '/'); slash > 0 {
			rest = rest[:slash]
		}
		w.rejectName(m, base, rest)
	}
}

// isCommand reports whether a topic is one that Zigbee2MQTT reads: x/set, x/set/state,
// x/left/get.
func isCommand(rest string) bool {
	return strings.HasSuffix(rest, "/set") || strings.HasSuffix(rest, "/get") || strings.Contains(rest, "/set/") || strings.Contains(rest, "/get/")
}

// rejectName rejects a message of a name that the bridge's list does not have, once it
// is no longer to be expected.
func (w *work) rejectName(m *wire.Message, base, name string) {
	if r, ok := w.z.refused[base][name]; ok {
		w.answer.Reject(m, r.reason)
		return
	}
	if !m.Replay && w.now.Sub(m.Time) < nameTimeout {
		w.answer.RetryLater(m, "its name is not in the bridge's list yet")
		return
	}
	w.answer.Reject(m, unknownName(name))
}
