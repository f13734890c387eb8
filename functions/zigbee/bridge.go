package function

import (
	"bytes"
	"cmp"
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

const maxAddress = 40 // bytes; an IEEE address has 18 characters

const bridgeKind = "bridge" // kind of device

const groupPart = "/group/" // part of a group's physical id: base/group/1

// listedDevice is a device in bridge/devices.
// https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html
type listedDevice struct {
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

// expose is one capability of a device. Lights, switches and composites contain
// others.
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

// readList handles bridge/devices and bridge/groups: it makes the register match the
// list. An error is the store's.
func (w *work) readList(ctx context.Context, m *wire.Message) error {
	base, rest, _ := w.z.split(m.Topic)
	if len(m.Payload) == 0 || rest != "bridge/devices" && rest != "bridge/groups" {
		return nil
	}
	bridge := w.bridges[base]
	metric := strings.TrimPrefix(rest, "bridge/")
	if old, ok := w.b.State(bridge, metric); ok && !old.Arrived.Before(m.Time) {
		return nil // a list that arrived later is already stored
	}
	read := readDevices
	if metric == "groups" {
		read = readGroups
	}
	found, err := read(base, m.Payload)
	if err != nil {
		w.answer.Reject(m, err)
		return nil
	}
	refused, err := w.updateRegister(ctx, base, metric, found)
	if err != nil {
		return err
	}
	w.rejectIf(m, cmp.Or(firstInvalid(found), refused)) // the other entries are stored all the same
	w.b.SetState(bridge, metric, "", float64(len(found)), m.Time, m.Retained)
	return nil
}

// firstInvalid returns the error of the first entry that is not valid, or nil.
func firstInvalid(found map[string]entry) error {
	for _, physical := range slices.Sorted(maps.Keys(found)) {
		if err := found[physical].invalid; err != nil {
			return fmt.Errorf("%s: %w", physical, err)
		}
	}
	return nil
}

// maxListValues is how many values a bridge's list may have. A device has about 500; each
// value may take 200 bytes when it is decoded.
const maxListValues = 200_000

// decodeList decodes a bridge's list, unless that would take too much memory.
func decodeList(payload []byte, list any) error {
	if bytes.Count(payload, []byte(",")) > maxListValues {
		return fmt.Errorf("more than %d values", maxListValues)
	}
	return json.Unmarshal(payload, list)
}

// entry is a device or a group in a list.
type entry struct {
	kind, name string
	about      about
	invalid    error // why its name or address is refused, nil if it is valid
}

// readDevices decodes bridge/devices to entries by lower-case IEEE address, without
// the coordinator.
func readDevices(base string, payload []byte) (map[string]entry, error) {
	var list []listedDevice
	if err := decodeList(payload, &list); err != nil {
		return nil, fmt.Errorf("decode the bridge's devices: %w", err)
	}
	if len(list) == 0 {
		return nil, errEmptyList
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
			flatten(e.about.Metrics, "", d.Definition.Exposes)
		}
		found[address] = e
	}
	return found, nil
}

// flatten adds capabilities by the name of their attribute in payloads: x of the
// composite color is color_x.
func flatten(into map[string]exposed, prefix string, es []expose) {
	for _, e := range es {
		if len(e.Features) > 0 {
			inner := prefix
			if e.Property != "" { // a composite is an object in the payload; lights and switches are not
				inner += e.Property + "_"
			}
			flatten(into, inner, e.Features)
			continue
		}
		if e.Property != "" && len(into) < maxProperties {
			into[noNUL(prefix+e.Property)] = exposed{Unit: noNUL(e.Unit), Min: e.Min, Max: e.Max, On: textValue(e.On), Off: textValue(e.Off)}
		}
	}
}

// textValue returns a value_on or value_off that is a text, else "": payloads then
// hold true and false, which need no translation.
func textValue(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return noNUL(s)
}

// noNUL removes NUL characters, which PostgreSQL does not take in JSON.
func noNUL(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// readGroups decodes bridge/groups to entries by base/group/id. Messages of a group
// are ignored, since its members report for themselves; but its name must be known.
func readGroups(base string, payload []byte) (map[string]entry, error) {
	var list []struct {
		ID   int    `json:"id"`
		Name string `json:"friendly_name"`
	}
	if err := decodeList(payload, &list); err != nil {
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

// updateRegister makes the register match a list: it unbinds devices that are no
// longer listed, adopts new ones and describes changed ones. A new device that gets
// the name of an unbound one continues as that device. Dead letters of new names are
// to be replayed. refused is why the first device was refused for which the register
// has no room.
func (w *work) updateRegister(ctx context.Context, base, metric string, found map[string]entry) (refused, err error) {
	before := w.names(base)
	if err := w.b.Unbind(ctx, w.unlisted(base, metric, found)); err != nil {
		return nil, err
	}
	var requests []store.DeviceRequest
	var changed []store.DeviceID
	for _, physical := range slices.Sorted(maps.Keys(found)) {
		e := found[physical]
		if e.invalid != nil {
			continue // it keeps its device and name
		}
		bound := w.b.Find([]byte(physical))
		if bound == nil {
			requests = append(requests, store.DeviceRequest{Physical: physical, Kind: e.kind, Device: idOf(e.name), Name: e.name, About: encode(e.about), Publisher: device.PublisherOf(base)})
			continue
		}
		if id, ok := e.diff(bound); ok {
			changed = append(changed, id)
		}
	}
	if err := w.b.Adopt(ctx, requests); err != nil {
		return nil, err
	}
	if len(changed) > 0 {
		if err := w.b.Describe(ctx, changed); err != nil {
			return nil, err
		}
	}
	w.replayNew(base, before)
	return w.keepRefused(base, metric, requests), nil
}

// replayNew requests a replay of the dead letters of all names that are not in before.
func (w *work) replayNew(base string, before map[string]bool) {
	w.z.index = currentIndex(w.z.index, w.b)
	for _, name := range slices.Sorted(maps.Keys(w.names(base))) {
		if !before[name] {
			w.z.replays.Add(wire.Pick{Topic: base + "/" + name + "/#"})
		}
	}
}

// unlisted returns the physical ids of a base topic's devices, or groups, that are bound
// and no longer listed.
func (w *work) unlisted(base, metric string, found map[string]entry) (ids []string) {
	for bound := range w.b.Bindings {
		group := strings.Contains(bound.Physical, groupPart)
		if !group && !strings.HasPrefix(bound.Physical, "0x") || group != (metric == "groups") {
			continue
		}
		var a about
		if json.Unmarshal(bound.About, &a) != nil || a.Base != base {
			continue // of another function or base topic
		}
		if _, ok := found[bound.Physical]; !ok {
			ids = append(ids, bound.Physical)
		}
	}
	return ids
}

const maxFormerNames = 5 // former names of a device that are remembered

// diff returns what is new of a device that is bound; false: nothing is.
func (e entry) diff(bound *device.Binding) (store.DeviceID, bool) {
	var old about
	_ = json.Unmarshal(bound.About, &old) // a description that is not of this function is replaced
	next := e.about
	next.FormerNames = old.FormerNames
	if bound.Name != e.name && old.Base == next.Base {
		next.FormerNames = append([]string{bound.Name}, slices.DeleteFunc(slices.Clone(old.FormerNames), func(s string) bool { return s == e.name || s == bound.Name })...)
		next.FormerNames = next.FormerNames[:min(len(next.FormerNames), maxFormerNames)]
	}
	if bound.Name == e.name && bytes.Equal(encode(old), encode(next)) {
		return store.DeviceID{}, false
	}
	id := bound.DeviceID
	id.Name, id.About = e.name, encode(next)
	return id, true
}

// names returns the names of devices and groups at a base topic, former ones too.
func (w *work) names(base string) map[string]bool {
	out := map[string]bool{}
	for name := range w.z.index.byName[base] {
		out[name] = true
	}
	return out
}

func encode(a about) json.RawMessage {
	b, _ := json.Marshal(a) // cannot fail: it holds only texts, numbers and booleans
	return b
}

// idOf returns the device id that is requested for a name.
func idOf(name string) string {
	if id := device.Slug(name); id != "" {
		return id
	}
	return "zigbee"
}

// bridgeDevice returns the device of the bridge itself, and adopts it if it is new.
func (w *work) bridgeDevice(ctx context.Context, base string) (*device.Device, error) {
	physical := base + "/bridge"
	if known := w.b.Find([]byte(physical)); known != nil {
		return known.Logical, nil
	}
	err := w.b.Adopt(ctx, []store.DeviceRequest{{Physical: physical, Kind: bridgeKind, Device: idOf(base), Name: base}})
	if err != nil {
		return nil, err
	}
	if known := w.b.Find([]byte(physical)); known != nil {
		return known.Logical, nil
	}
	return nil, w.b.Refused([]byte(physical), bridgeKind, "")
}
