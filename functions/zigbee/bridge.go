package function

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const bridgeKind = "bridge" // kind of device

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
			requests = append(requests, store.DeviceRequest{Physical: physical, Kind: e.kind, Device: device.ID(e.name), Name: e.name, About: encode(e.about), Publisher: device.PublisherOf(base)})
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

// bridgeDevice returns the device of the bridge itself, and adopts it if it is new.
func (w *work) bridgeDevice(ctx context.Context, base string) (*device.Device, error) {
	physical := base + "/bridge"
	if known := w.b.Find([]byte(physical)); known != nil {
		return known.Logical, nil
	}
	err := w.b.Adopt(ctx, []store.DeviceRequest{{Physical: physical, Kind: bridgeKind, Device: device.ID(base), Name: base}})
	if err != nil {
		return nil, err
	}
	if known := w.b.Find([]byte(physical)); known != nil {
		return known.Logical, nil
	}
	return nil, w.b.Refused([]byte(physical), bridgeKind, "")
}
