package status

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	maxDevices = 300 // devices on the page
	maxShown   = 4   // metrics of a device beside the headline; the others are folded away
	maxFolded  = 60  // metrics of a device that are folded away
	quiet      = day // a device that reports nothing for so long is silent; see quietOf
)

// silent is the state of a device that has reported nothing for longer than usual, if
// nobody reports whether it can be reached.
const silent = "silent"

// Room is the devices of one room.
type Room struct {
	Name    string   `json:"name"` // "" is unknown
	Devices []Device `json:"devices"`

	Maintenance time.Time `json:"maintenance,omitzero"` // its end

	order int // 0 a room, 1 the unknown room, 2 a group of devices without one
}

// ID returns the id of the room's element on the page.
func (r Room) ID() string {
	sum := fnv.New64a()
	fmt.Fprint(sum, r.order, r.Name)
	return fmt.Sprintf("room-%x", sum.Sum64())
}

// Device is one tile.
type Device struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Kind        string    `json:"kind"`
	Topic       string    `json:"topic,omitempty"`   // that it was first seen on; several are joined by ", "
	Time        time.Time `json:"time"`              // of its latest value
	State       string    `json:"state,omitempty"`   // online, offline, silent
	Quality     string    `json:"quality,omitempty"` // the worst quality of its metrics; "" is ok
	Sample      bool      `json:"sample,omitempty"`  // its latest values are simulated
	Missing     uint64    `json:"missing,omitempty"` // numbered readings that were never stored
	Main        *Metric   `json:"main,omitempty"`
	Metrics     []Metric  `json:"metrics,omitempty"`
	More        []Metric  `json:"more,omitempty"`
	Small       []Metric  `json:"small,omitempty"` // in small letters: battery, link
	Spark       Spark     `json:"-"`
	Maintenance time.Time `json:"maintenance,omitzero"` // its end
	Fault       string    `json:"fault,omitempty"`      // that a person has switched on: it is a simulated sensor
	Sensor      string    `json:"-"`                    // name of the simulated sensor; "": it is none
	Ways        []Switch  `json:"-"`                    // in which it can be made to fail

	room      string
	publisher string                  // the first level of it
	simulated bool                    // its last report was
	in        []catalogue.Measurement // the measurements that it may report
}

// Away reports whether the device cannot be reached or is silent.
func (d Device) Away() bool { return d.State != "" && d.State != wire.Online }

// Reasons returns why the quality of its metrics is not ok, joined by "; ".
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

// registered is the part of the register that rarely changes. It is read once a
// minute, and when the number of devices changes.
type registered struct {
	ids   []store.DeviceID
	names names
	full  []string  // what has no room left, or little
	count int       // devices when it was read
	read  time.Time // when it was read
}

func (r *registered) refresh(ctx context.Context, st *store.Store, redact func(string) string, devices []store.Device, states []store.DeviceState, now time.Time) error {
	if r.count == len(devices) && now.Sub(r.read) < time.Minute && !now.Before(r.read) {
		return nil
	}
	ids, err := st.DeviceIDs(ctx, false)
	if err == nil {
		*r = registered{ids, namesOf(ids, redact), device.Warnings(devices, states), len(devices), now}
	}
	return err
}

// readDevices returns the devices that have reported anything, by name.
func (c *collector) readDevices(ctx context.Context, st *store.Store, now time.Time) ([]Device, error) {
	listed, err := st.Devices(ctx)
	if err != nil {
		return nil, err
	}
	states, err := st.DeviceStates(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := c.register.refresh(ctx, st, c.Redact, listed, states, now); err != nil {
		return nil, err
	}
	missing := missingOf(c.platform.seqs, c.register.ids)
	s := newSpelling(c.measurements(), c.Declared(), c.register.ids)
	var out []Device
	for _, d := range listed {
		own := statesOf(states, d.ID)
		if catalogue.DeviceKindOf(d.Kind).Hidden || len(own) == 0 && missing[d.ID] == 0 {
			continue
		}
		tile := Device{ID: d.ID, Name: cmp.Or(d.Name, d.ID), Kind: d.Kind, Topic: c.register.names.topics[d.ID], Missing: missing[d.ID], room: d.Room, publisher: device.TopOf(d.Publisher)}
		if d.Maintenance.After(now) {
			tile.Maintenance = d.Maintenance
		}
		tile.fill(s, own, now)
		if tile.simulated && tile.Time.Before(c.SimulatedSince) {
			continue
		}
		out = append(out, tile)
	}
	c.register.names.shorten(out)
	c.Faults.simulate(out)
	slices.SortStableFunc(out, func(a, b Device) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return out, nil
}

// statesOf returns the part of states, which are sorted by device, of one device.
func statesOf(states []store.DeviceState, device string) []store.DeviceState {
	by := func(s store.DeviceState, id string) int { return strings.Compare(s.Device, id) }
	first, _ := slices.BinarySearchFunc(states, device, by)
	end := first
	for end < len(states) && states[end].Device == device {
		end++
	}
	return states[first:end]
}

// missingOf returns how many numbered readings are missing, by the device of the
// node.
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

// severity orders the qualities; that of ok is 0.
var severity = map[quality.Quality]int{quality.WarmingUp: 1, quality.ClockUnsynced: 2, quality.Suspect: 3}

func worse(a, b string) bool { return severity[quality.Quality(a)] > severity[quality.Quality(b)] }

// fill adds the latest values of the device.
func (d *Device) fill(s spelling, states []store.DeviceState, now time.Time) {
	all, own := s.of(d.Kind, states)
	d.in = all[:own]
	var ms []Metric
	for _, state := range states {
		m := s.metric(all, own, state)
		if m.reported.After(d.Time) {
			d.Time = m.reported
		}
		switch m.declared.field.Show {
		case catalogue.Hidden:
		case catalogue.Reachable:
			d.State = map[bool]string{true: wire.Online, false: wire.Offline}[state.Value == 1]
		case catalogue.Simulated:
			d.simulated = state.Value == 1
			d.Sample = d.Sample || d.simulated
		default:
			ms = append(ms, m)
		}
	}
	if d.State == "" && now.Sub(d.Time) > quiet {
		d.State = silent
	}
	slices.SortStableFunc(ms, byImportance)
	for i := range ms {
		d.add(&ms[i])
	}
}

// add shows a metric. The caller adds the most important one first. A metric that is no
// longer reported is folded away.
func (d *Device) add(m *Metric) {
	old := d.Time.Sub(m.reported) > quiet
	if !old && worse(m.Quality, d.Quality) {
		d.Quality = m.Quality
	}
	switch {
	case m.declared.field.Show == catalogue.Small:
		d.Small = append(d.Small, *m)
	case !old && d.Main == nil:
		d.Main = m
	case !old && len(d.Metrics) < maxShown:
		d.Metrics = append(d.Metrics, *m)
	case len(d.More) < maxFolded:
		d.More = append(d.More, *m)
	}
}

// fairly returns at most most devices, in their order: those with a room, and as many of
// each publisher, so that one that publishes thousands does not hide the others.
func fairly(devices []Device, most int) []Device {
	if len(devices) <= most {
		return devices
	}
	seen := map[string]int{} // devices by publisher
	order := make([]int, len(devices))
	turn := make([]int, len(devices)) // a device's place among those of its publisher
	for i, d := range devices {
		order[i] = i
		if d.room == "" {
			seen[d.publisher]++
			turn[i] = seen[d.publisher]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return turn[a] - turn[b] })
	order = order[:most]
	slices.Sort(order)
	out := make([]Device, 0, most)
	for _, i := range order {
		out = append(out, devices[i])
	}
	return out
}

// rooms groups devices by room. Devices without a room come last: first those of no
// group, then the groups that the catalogue declares.
func rooms(devices []Device) []Room {
	out := []Room{}
	for _, d := range devices {
		r := Room{Name: d.room}
		if r.Name == "" {
			r.Name, r.order = catalogue.DeviceKindOf(d.Kind).Group, 1
			if r.Name != "" {
				r.order = 2
			}
		}
		i := slices.IndexFunc(out, func(o Room) bool { return o.Name == r.Name && o.order == r.order })
		if i < 0 {
			out, i = append(out, r), len(out)
		}
		out[i].Devices = append(out[i].Devices, d)
	}
	slices.SortFunc(out, func(a, b Room) int {
		return cmp.Or(a.order-b.order, strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
	return out
}
