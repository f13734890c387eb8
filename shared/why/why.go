// Package why says how far the messages of a device come: what it last reported, whether
// the node or bridge that forwards them is there, which message could not be stored, and
// what to do.
package why

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topology"
)

const (
	maxDead     = 2000            // the newest dead letters that are looked at
	canaryFresh = 5 * time.Minute // an older canary means that nothing comes through the broker
	canaryKeep  = 7 * 24 * time.Hour
	quietTime   = 10 * time.Minute // a device that has reported since is not silent
)

// ErrUnknown is returned for a device that is not in the register.
var ErrUnknown = errors.New("the register has no device of this id or name")

// Report is what is known of the way of a device's messages.
type Report struct {
	Device  store.Device
	Last    store.DeviceState // its latest report; Metric is "" if there is none
	offline store.DeviceState // the state that says that it cannot be reached; Metric is "" if none does
	hop     *hop              // the node or bridge that forwards its messages; nil: none is known
	canary  time.Time         // when the broker last delivered a message that a connector had published; zero: unknown
	Dead    *store.DeadLetter // its latest message that could not be stored; nil: none
	Now     time.Time
	Zone    *time.Location // of the times in Lines; nil: UTC
}

// hop is a node or bridge.
type hop struct {
	device store.Device
	online bool
	known  bool // it has reported whether it is online
	since  time.Time
}

// Register is what the reports of all devices have in common.
type Register struct {
	st      *store.Store
	now     time.Time
	devices []store.Device
	ids     []store.DeviceID
	links   *topology.Map
	dead    []store.DeadLetter
	canary  time.Time
}

// Read reads the Register.
func Read(ctx context.Context, st *store.Store, now time.Time) (*Register, error) {
	g := &Register{st: st, now: now}
	var err error
	if g.devices, err = st.Devices(ctx); err != nil {
		return nil, err
	}
	if g.ids, err = st.DeviceIDs(ctx, false); err != nil {
		return nil, err
	}
	g.links = topology.Of(g.devices, g.ids)
	if g.dead, err = st.DeadLetters(ctx, maxDead); err != nil {
		return nil, err
	}
	rs, err := st.Latest(ctx, "canary", now.Add(-canaryKeep))
	for _, c := range rs {
		if c.Time.After(g.canary) {
			g.canary = c.Time
		}
	}
	return g, err
}

// Device returns what is known of a device, by its id or name. Another error than
// ErrUnknown is the store's.
func Device(ctx context.Context, st *store.Store, id string, now time.Time) (Report, error) {
	g, err := Read(ctx, st, now)
	if err != nil {
		return Report{}, err
	}
	return g.Device(ctx, id)
}

// Device returns what is known of a device, as the function Device does.
func (g *Register) Device(ctx context.Context, id string) (Report, error) {
	r := Report{Now: g.now, canary: g.canary}
	i := slices.IndexFunc(g.devices, func(d store.Device) bool { return d.ID == id })
	if i < 0 {
		i = slices.IndexFunc(g.devices, func(d store.Device) bool { return strings.EqualFold(d.Name, id) })
	}
	if i < 0 {
		return r, fmt.Errorf("%q: %w", id, ErrUnknown)
	}
	r.Device = g.devices[i]
	states, err := g.st.DeviceStates(ctx, r.Device.ID)
	if err != nil {
		return r, err
	}
	r.read(states)
	r.findDead(g.dead, g.ids)
	return r, r.findHop(ctx, g)
}

// read finds the latest report, and whether the device can be reached.
func (r *Report) read(states []store.DeviceState) {
	for _, s := range states {
		switch {
		case s.Metric == "available" || s.Metric == "online":
			if s.Value == 0 && s.Text == "" {
				r.offline = s
			}
		case Seen(s).After(Seen(r.Last)) && Reported(s.Metric):
			r.Last = s
		}
	}
}

// Reported reports whether a metric is something that the device itself reports, and not
// what hearth, a broker or a bridge says of it.
func Reported(metric string) bool {
	if metric == "action" {
		return true
	}
	_, ok := catalogue.States().Field(metric)
	return !ok && metric != "available"
}

// Seen returns when a state was reported: by the source's clock, or when it arrived if that
// is later. The arrival of a retained message says nothing.
func Seen(s store.DeviceState) time.Time {
	if s.Retained || s.Time.After(s.Arrived) {
		return s.Time
	}
	return s.Arrived
}

func (r *Report) findHop(ctx context.Context, g *Register) error {
	kind, of, ok := strings.Cut(g.links.Parents(r.Device.ID)[0], "/")
	if !ok {
		return nil
	}
	r.hop = &hop{device: g.devices[slices.IndexFunc(g.devices, func(d store.Device) bool { return d.ID == of })]}
	states, err := g.st.DeviceStates(ctx, of)
	for _, s := range states {
		if kind == "node" && s.Metric == "online" || kind == "bridge" && s.Metric == "available" {
			r.hop.known, r.hop.online, r.hop.since = true, s.Value != 0, s.Changed
		}
	}
	return err
}

// findDead finds the latest dead letter on a topic of the device.
func (r *Report) findDead(dead []store.DeadLetter, ids []store.DeviceID) {
	for _, id := range ids {
		if id.Device != r.Device.ID {
			continue
		}
		var about struct{ Base, Topic string }
		_ = json.Unmarshal(id.About, &about) // one that is not an object names no topic
		for i := range dead {
			d := &dead[i]
			if of(d.Topic, id, about.Base, about.Topic, r.Device.Publisher) && (r.Dead == nil || d.Last.After(r.Dead.Last)) {
				r.Dead = d
			}
		}
	}
}

// of reports whether a device publishes on a topic.
func of(topic string, id store.DeviceID, base, first, publisher string) bool {
	within := func(t string) bool { return t != "" && (topic == t || strings.HasPrefix(topic, t+"/")) }
	if base != "" {
		return within(base + "/" + id.Name)
	}
	if name, ok := strings.CutPrefix(id.Physical, "edge/"); ok && publisher != "" && within(publisher+"/"+name) {
		return true
	}
	if t, ok := strings.CutPrefix(id.Physical, "topic/"); ok && within(t) {
		return true
	}
	return within(first)
}
