package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const maxAddress = 40 // bytes; an ieee address has 18

const groupPart = "/group/" // in the physical id of a group

// listed is a device in bridge/devices.
// https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
type listed struct {
	Address    string `json:"ieee_address"`
	Type       string `json:"type"`
	Name       string `json:"friendly_name"`
	Power      string `json:"power_source"`
	Definition *struct {
		Model   string   `json:"model"`
		Vendor  string   `json:"vendor"`
		Exposes []expose `json:"exposes"`
	} `json:"definition"`
}

// expose is one capability. A light, a switch or a composite holds others.
type expose struct {
	Type     string          `json:"type"`
	Property string          `json:"property"`
	Unit     string          `json:"unit"`
	Min      *float64        `json:"value_min"`
	Max      *float64        `json:"value_max"`
	On       json.RawMessage `json:"value_on"`
	Off      json.RawMessage `json:"value_off"`
	Features []expose        `json:"features"`
}

// lists takes in bridge/devices and bridge/groups. An error is the store's.
func (w *work) lists(ctx context.Context, m *wire.Message) error {
	base, rest, _ := w.z.split(m.Topic)
	if len(m.Payload) == 0 || rest != "bridge/devices" && rest != "bridge/groups" {
		return nil
	}
	bridge := w.bridges[base]
	metric := strings.TrimPrefix(rest, "bridge/")
	if old, ok := w.b.State(bridge, metric); ok && !old.Arrived.Before(m.Time) {
		return nil // a later list is known
	}
	read := devices
	if metric == "groups" {
		read = groups
	}
	found, err := read(base, m.Payload)
	if err != nil {
		w.answer.Reject(m, err)
		return nil
	}
	if err := w.register(ctx, base, metric, found); err != nil {
		return err
	}
	for _, physical := range slices.Sorted(maps.Keys(found)) {
		if odd := found[physical].odd; odd != nil { // the others are taken
			w.answer.Reject(m, fmt.Errorf("%s: %w", physical, odd))
			break
		}
	}
	w.b.SetState(bridge, metric, "", float64(len(found)), m.Time, m.Retained)
	return nil
}

// entry is what a list says of a device or a group.
type entry struct {
	kind, name string
	about      about
	odd        error // why it cannot be taken by this name
}

// devices reads bridge/devices, by ieee address.
func devices(base string, payload []byte) (map[string]entry, error) {
	var list []listed
	if err := json.Unmarshal(payload, &list); err != nil {
		return nil, fmt.Errorf("decode the bridge's devices: %w", err)
	}
	if len(list) == 0 {
		return nil, errNobody
	}
	found := map[string]entry{}
	for _, d := range list {
		address := strings.ToLower(d.Address)
		if !strings.HasPrefix(address, "0x") || len(address) > maxAddress || d.Name == "" || d.Type == "Coordinator" {
			continue
		}
		e := entry{"zigbee", d.Name, about{Base: base, Power: noNUL(d.Power)}, errors.Join(device.CheckName(address), device.CheckName(d.Name))}
		if d.Definition != nil {
			e.about.Model, e.about.Vendor, e.about.Metrics = noNUL(d.Definition.Model), noNUL(d.Definition.Vendor), map[string]exposed{}
			declare(e.about.Metrics, "", d.Definition.Exposes)
		}
		found[address] = e
	}
	return found, nil
}

// declare flattens capabilities to the attributes of payloads.
func declare(into map[string]exposed, prefix string, es []expose) {
	for _, e := range es {
		if len(e.Features) > 0 {
			inner := prefix
			if e.Property != "" { // a composite is an object in the payload; lights and switches are not
				inner += e.Property + "_"
			}
			declare(into, inner, e.Features)
			continue
		}
		if e.Property != "" && len(into) < maxProperties {
			into[noNUL(prefix+e.Property)] = exposed{Unit: noNUL(e.Unit), Min: e.Min, Max: e.Max, On: word(e.On), Off: word(e.Off)}
		}
	}
}

// word returns a value_on that is a text: true needs no translation.
func word(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return noNUL(s)
}

// noNUL takes out what PostgreSQL keeps in no JSON.
func noNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// groups reads bridge/groups: their names are known, and they say nothing of
// their own.
func groups(base string, payload []byte) (map[string]entry, error) {
	var list []struct {
		ID   int    `json:"id"`
		Name string `json:"friendly_name"`
	}
	if err := json.Unmarshal(payload, &list); err != nil {
		return nil, fmt.Errorf("decode the bridge's groups: %w", err)
	}
	found := map[string]entry{}
	for _, g := range list {
		if g.Name != "" {
			found[base+groupPart+strconv.Itoa(g.ID)] = entry{"group", g.Name, about{Base: base, Group: true}, device.CheckName(g.Name)}
		}
	}
	return found, nil
}

// register makes the register what the list says: who is gone leaves, so that
// what gets its name next goes on as that device.
func (w *work) register(ctx context.Context, base, metric string, found map[string]entry) error {
	before := w.names(base)
	var gone []string
	for bound := range w.b.Bindings {
		var a about
		group := strings.Contains(bound.Physical, groupPart)
		if (!group && !strings.HasPrefix(bound.Physical, "0x")) || group != (metric == "groups") || json.Unmarshal(bound.About, &a) != nil || a.Base != base {
			continue
		}
		if _, ok := found[bound.Physical]; !ok {
			gone = append(gone, bound.Physical)
		}
	}
	if err := w.b.Unbind(ctx, gone); err != nil {
		return err
	}
	var requests []store.DeviceRequest
	var changed []store.DeviceID
	for _, physical := range slices.Sorted(maps.Keys(found)) {
		e := found[physical]
		if e.odd != nil {
			continue // it stays what it was
		}
		bound := w.b.Find([]byte(physical))
		if bound == nil {
			requests = append(requests, store.DeviceRequest{Physical: physical, Kind: e.kind, Device: idOf(e.name), Name: e.name, About: encode(e.about)})
			continue
		}
		if id, ok := e.changes(bound); ok {
			changed = append(changed, id)
		}
	}
	if err := w.b.Adopt(ctx, requests); err != nil {
		return err
	}
	if len(changed) > 0 {
		if err := w.b.Describe(ctx, changed); err != nil {
			return err
		}
	}
	w.z.index = indexed(w.z.index, w.b)
	for _, name := range slices.Sorted(maps.Keys(w.names(base))) {
		if !before[name] {
			w.z.replays.Add(wire.Pick{Topic: base + "/" + name + "/#"})
		}
	}
	return nil
}

const maxWas = 5 // earlier names that are remembered

// changes returns what is new of a device that is known.
func (e entry) changes(bound *device.Binding) (store.DeviceID, bool) {
	var old about
	_ = json.Unmarshal(bound.About, &old) // what is not ours is replaced
	next := e.about
	next.Was = old.Was
	if bound.Name != e.name && old.Base == next.Base {
		next.Was = append([]string{bound.Name}, slices.DeleteFunc(slices.Clone(old.Was), func(s string) bool { return s == e.name || s == bound.Name })...)
		next.Was = next.Was[:min(len(next.Was), maxWas)]
	}
	if bound.Name == e.name && bytes.Equal(encode(old), encode(next)) {
		return store.DeviceID{}, false
	}
	id := bound.DeviceID
	id.Name, id.About = e.name, encode(next)
	return id, true
}

func (w *work) names(base string) map[string]bool {
	out := map[string]bool{}
	for name := range w.z.index.byName[base] {
		out[name] = true
	}
	return out
}

func encode(a about) json.RawMessage {
	b, _ := json.Marshal(a) // it holds nothing that JSON cannot
	return b
}

func idOf(name string) string {
	if id := device.Slug(name); id != "" {
		return id
	}
	return "zigbee"
}

// bridge returns the bridge's own device.
func (w *work) bridge(ctx context.Context, base string) (*device.Device, error) {
	physical := base + "/bridge"
	if known := w.b.Find([]byte(physical)); known != nil {
		return known.Logical, nil
	}
	err := w.b.Adopt(ctx, []store.DeviceRequest{{Physical: physical, Kind: "bridge", Device: idOf(base), Name: base}})
	if err != nil {
		return nil, err
	}
	if known := w.b.Find([]byte(physical)); known != nil {
		return known.Logical, nil
	}
	return nil, device.ErrFull
}
