// Package function stores what Zigbee2MQTT says of any Zigbee device: numbers and
// switches with the units that the device itself declares, buttons pressed,
// availability, and the bridge's list of devices, by which they are known.
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
	Settings secret.String `env:"HEARTH_SETTINGS_SECRET" envDefault:"hearth-settings"` // secret with hearth.yml, whose part devices names devices, puts them in rooms and says what replaces what
	Bases    []string      `env:"ZIGBEE_BASES" envDefault:"zigbee2mqtt"`               // base topics of the Zigbee2MQTTs, comma separated
}

// Handle is called by the template golang-http.
var Handle = serve.HandleFunc(New)

// New returns the function for these surroundings.
func New(env serve.Env) (func(handler.Request) (handler.Response, error), error) {
	c, err := config.Parse[Config](env.Env)
	if err != nil {
		return nil, err
	}
	z := &zigbee{register: device.Register{Function: "zigbee"}, index: &index{}, watch: mapping.NewWatch(c.Settings, env.Log)}
	for _, base := range c.Bases {
		z.bases = append(z.bases, strings.TrimSuffix(strings.TrimSpace(base), "/"))
	}
	return mqttbatch.Func(env, "zigbee", z.transform)
}

type zigbee struct {
	bases    []string
	watch    *mapping.Watch
	register device.Register
	index    *index // guarded by the register
	replays  mqttbatch.Replays
}

// patience is how long a message waits for its device to be known: the bridge
// publishes its list when one joins.
const patience = 60 * time.Second

// transform stores a batch: the bridge's lists first, by which the rest is known.
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

// work is one batch on its way.
type work struct {
	z       *zigbee
	b       *ingest.Batch
	ms      []wire.Message
	now     time.Time
	bridges map[string]*device.Device // by base
	answer  wire.Answer
	values  []device.Value // of one message after the other
	notes   []device.TextState
}

func (w *work) plan(ctx context.Context, b *ingest.Batch) error {
	w.b = b
	set, _ := w.z.watch.Set(w.now) // unread, it is none, and changes nothing
	if err := w.z.watch.Apply(ctx, set, b.Update); err != nil {
		return err
	}
	w.z.index = indexed(w.z.index, b)
	for _, base := range w.z.bases {
		var err error
		if w.bridges[base], err = w.bridge(ctx, base); err != nil {
			return err
		}
	}
	for i := range w.ms {
		if err := w.lists(ctx, &w.ms[i]); err != nil {
			return err
		}
	}
	for i := range w.ms {
		w.message(i)
	}
	return nil
}

// message takes in all but the bridge's lists.
func (w *work) message(i int) {
	m := &w.ms[i]
	base, rest, ok := w.z.split(m.Topic)
	switch {
	case !ok:
		w.answer.Reject(m, errBase)
	case len(m.Payload) == 0: // a retained message was removed
	case rest == "bridge/state":
		online, err := available(m.Payload)
		if err == nil {
			w.available(i, w.bridges[base], online)
		}
		w.refuse(m, err)
	case rest == "bridge" || strings.HasPrefix(rest, "bridge/"):
	default:
		w.device(i, base, rest)
	}
}

func (w *work) refuse(m *wire.Message, err error) {
	if err != nil {
		w.answer.Reject(m, err)
	}
}

// split finds the base topic, the longest that fits.
func (z *zigbee) split(topic string) (base, rest string, ok bool) {
	for _, b := range z.bases {
		if after, fits := strings.CutPrefix(topic, b+"/"); fits && len(b) >= len(base) {
			base, rest, ok = b, after, true
		}
	}
	return base, rest, ok
}

// device takes in what a device says, or what is said of it. A name may hold
// slashes, so what is behind it is known only where the name is.
func (w *work) device(i int, base, rest string) {
	m := &w.ms[i]
	if d := w.z.index.find(base, rest); d != nil {
		w.refuse(m, w.state(i, d))
		return
	}
	name, last := rest, ""
	if slash := strings.LastIndexByte(rest, '/'); slash > 0 {
		name, last = rest[:slash], rest[slash+1:]
	}
	switch d := w.z.index.find(base, name); {
	case d != nil && last == "availability":
		w.refuse(m, w.availability(i, d))
		return
	case d != nil && (last == "set" || last == "get"):
		return
	case d != nil:
		w.answer.Reject(m, errAttribute)
		return
	case last == "set" || last == "get" || strings.Contains(rest, "/set/") || strings.Contains(rest, "/get/"):
		return // asks, and says nothing
	case last == "availability":
		rest = name
	}
	if !m.Replay && w.now.Sub(m.Time) < patience {
		w.answer.Again(m, "its name is not in the bridge's list yet")
		return
	}
	w.answer.Reject(m, unknownName(rest))
}
