package page

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxDevices = 300 // on the page
	maxShown   = 4   // metrics of a device besides its main one; the rest is folded
	maxFolded  = 60
	quiet      = day // a device that says nothing for so long is silent
)

// carriers is where those are that only carry what others say.
const carriers = "Nodes and bridges"

// Room is the devices of one room.
type Room struct {
	Name    string   `json:"name"` // "" is unknown
	Devices []Device `json:"devices"`
}

// ID names a room on the page, whatever it is called.
func (r Room) ID() string {
	sum := fnv.New64a()
	sum.Write([]byte(r.Name))
	return fmt.Sprintf("room-%x", sum.Sum64())
}

// Device is one tile.
type Device struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	Time    time.Time `json:"time"`              // of its newest word
	State   string    `json:"state,omitempty"`   // online, offline, silent
	Quality string    `json:"quality,omitempty"` // the worst of its metrics; "" is ok
	Sample  bool      `json:"sample,omitempty"`  // a simulated sensor, or a node of such
	Missing uint64    `json:"missing,omitempty"` // numbered readings that never came
	Main    *Metric   `json:"main,omitempty"`
	Metrics []Metric  `json:"metrics,omitempty"`
	More    []Metric  `json:"more,omitempty"`
	Small   []Metric  `json:"small,omitempty"` // battery, link quality
	Spark   Spark     `json:"-"`

	room string
	in   []catalogue.Measurement // where its readings may be
}

// Reasons says what is wrong with its metrics.
func (d Device) Reasons() string {
	var out []string
	for _, m := range d.all() {
		if m.Quality != "" && m.Reason != "" && !slices.Contains(out, m.Reason) {
			out = append(out, m.Reason)
		}
	}
	return strings.Join(out, "; ")
}

func (d Device) all() []Metric {
	out := slices.Concat(d.Metrics, d.More, d.Small)
	if d.Main != nil {
		out = append(out, *d.Main)
	}
	return out
}

// registered is the part of the register that changes seldom.
type registered struct {
	ids    []store.DeviceID
	count  int // of devices, when it was read
	looked time.Time
}

func (r *registered) look(ctx context.Context, st *store.Store, devices int, now time.Time) error {
	if r.count == devices && now.Sub(r.looked) < time.Minute && !now.Before(r.looked) {
		return nil
	}
	ids, err := st.DeviceIDs(ctx, false)
	if err == nil {
		*r = registered{ids, devices, now}
	}
	return err
}

// readDevices returns all devices that have said something, by name.
func (c *collector) readDevices(ctx context.Context, st *store.Store, now time.Time) ([]Device, error) {
	listed, err := st.Devices(ctx)
	if err != nil {
		return nil, err
	}
	states, err := st.DeviceStates(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := c.register.look(ctx, st, len(listed), now); err != nil {
		return nil, err
	}
	missing := missingOf(c.rest.seqs, c.register.ids)
	s := spelling{c.Declared(), unitsOf(c.register.ids)}
	var out []Device
	for _, d := range listed {
		first, _ := slices.BinarySearchFunc(states, d.ID, func(s store.DeviceState, id string) int { return strings.Compare(s.Device, id) })
		end := first
		for end < len(states) && states[end].Device == d.ID {
			end++
		}
		if d.Kind == "group" || end == first && missing[d.ID] == 0 {
			continue
		}
		tile := Device{ID: d.ID, Name: cmp.Or(d.Name, d.ID), Kind: d.Kind, Missing: missing[d.ID], room: d.Room}
		tile.fill(s, states[first:end], now)
		out = append(out, tile)
	}
	slices.SortStableFunc(out, func(a, b Device) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return out, nil
}

// missingOf sums what is missing by the node's device.
func missingOf(seqs []store.EdgeSeq, ids []store.DeviceID) map[string]uint64 {
	of := map[string]string{}
	for _, id := range ids {
		if node, ok := strings.CutPrefix(id.Physical, "node/"); ok {
			of[node] = id.Device
		}
	}
	out := map[string]uint64{}
	for _, e := range seqs {
		if id := of[e.Node]; id != "" {
			out[id] += e.Missing
		}
	}
	return out
}

// severity orders qualities.
var severity = map[string]int{"": 0, "warming_up": 1, "clock_unsynced": 2, "suspect": 3}

func (d *Device) fill(s spelling, states []store.DeviceState, now time.Time) {
	d.in = s.measurements(d.Kind, states)
	var ms []Metric
	for _, state := range states {
		m := s.metric(d.in, state)
		if m.Time.After(d.Time) {
			d.Time = m.Time
		}
		if state.Metric == "available" || state.Metric == "online" {
			d.State = "offline"
			if state.Value == 1 {
				d.State = "online"
			}
		}
		d.Sample = d.Sample || d.Kind == "node" && state.Metric == simulated && state.Value == 1
		if !hidden[state.Metric] {
			ms = append(ms, m)
		}
	}
	if d.State == "" && now.Sub(d.Time) > quiet {
		d.State = "silent"
	}
	slices.SortStableFunc(ms, func(a, b Metric) int {
		return cmp.Or(rank(a.Key)-rank(b.Key), strings.Compare(a.Title, b.Title))
	})
	battery := d.Kind == "zigbee"
	for i := range ms {
		m := ms[i]
		old := d.Time.Sub(m.Time) > quiet // it is no longer said
		if !old && severity[m.Quality] > severity[d.Quality] {
			d.Quality = m.Quality
		}
		switch {
		case slices.Contains(small, m.Key) && (battery || m.Key != "battery_percent"):
			d.Small = append(d.Small, m)
		case d.Main == nil && !old && rank(m.Key) < len(leading):
			d.Main = &m
		case !old && len(d.Metrics) < maxShown:
			d.Metrics = append(d.Metrics, m)
		case len(d.More) < maxFolded:
			d.More = append(d.More, m)
		}
	}
	if d.Main == nil && len(d.Metrics) > 0 {
		d.Main = &d.Metrics[0]
		d.Metrics = d.Metrics[1:]
	}
}

// rooms groups devices; the unknown room is last, and behind it what only
// carries others.
func rooms(devices []Device) (out []Room, more int) {
	out = []Room{}
	if len(devices) > maxDevices {
		devices, more = devices[:maxDevices], len(devices)-maxDevices
	}
	place := func(d Device) (string, int) {
		switch {
		case d.room != "":
			return d.room, 0
		case d.Kind == "node" || d.Kind == "bridge":
			return carriers, 2
		}
		return "", 1
	}
	order := map[string]int{}
	for _, d := range devices {
		name, n := place(d)
		i := slices.IndexFunc(out, func(r Room) bool { return r.Name == name })
		if i < 0 {
			out, i = append(out, Room{Name: name}), len(out)
			order[name] = n
		}
		out[i].Devices = append(out[i].Devices, d)
	}
	slices.SortFunc(out, func(a, b Room) int {
		return cmp.Or(order[a.Name]-order[b.Name], strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
	return out, more
}

// ofDevices reports whether a measurement is shown with the devices.
func ofDevices(m catalogue.Measurement) bool { return slices.Contains(m.Labels, "device") }
