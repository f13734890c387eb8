package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/device"
)

const maxAddress = 40 // bytes; an IEEE address has 18 characters

const maxPresets = 20 // of a property

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
	Endpoint string          `json:"endpoint"`
	Unit     string          `json:"unit"`
	Min      *float64        `json:"value_min"`
	Max      *float64        `json:"value_max"`
	On       json.RawMessage `json:"value_on"`
	Off      json.RawMessage `json:"value_off"`
	Presets  []struct {
		Value any `json:"value"` // a number, or a word
	} `json:"presets"`
	Features []expose `json:"features"`
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
// composite color is color_x. In a composite of an endpoint, such as color_left, the
// payload has x where the list has x_left.
func flatten(into map[string]exposed, prefix string, es []expose) {
	for _, e := range es {
		if prefix != "" && e.Endpoint != "" {
			e.Property = strings.TrimSuffix(e.Property, "_"+e.Endpoint)
		}
		if len(e.Features) > 0 {
			inner := prefix
			if e.Property != "" { // a composite is an object in the payload; lights and switches are not
				inner += e.Property + "_"
			}
			flatten(into, inner, e.Features)
			continue
		}
		if e.Property != "" && len(into) < maxProperties {
			into[noNUL(prefix+e.Property)] = exposed{Type: noNUL(e.Type), Unit: noNUL(e.Unit), Min: e.Min, Max: e.Max, Presets: e.words(), On: switchWord(e.On), Off: switchWord(e.Off)}
		}
	}
}

// words returns the presets that are beyond the range of a property: those numbers stand
// for words, such as 65535 for previous.
func (e expose) words() (out []float64) {
	for _, p := range e.Presets {
		if v, ok := p.Value.(float64); ok && (e.Min != nil && v < *e.Min || e.Max != nil && v > *e.Max) && len(out) < maxPresets {
			out = append(out, v)
		}
	}
	return out
}

// switchWord returns a value_on or value_off that is a text, or a number as a text. For
// true and false it returns "": payloads then hold these, which need no translation.
func switchWord(raw json.RawMessage) string {
	var v any
	_ = json.Unmarshal(raw, &v)
	switch v := v.(type) {
	case string:
		return noNUL(v)
	case float64:
		return string(raw)
	}
	return ""
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
