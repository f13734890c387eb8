package glance

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/page/unmapped"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	freshFor     = 7 * 24 * time.Hour // after its first message a device is new for so long
	maxFresh     = 3                  // devices and topics in the tile, each
	maxUnmapped  = 500                // letters that are looked through
	freshValues  = 3                  // values of a device
	freshPreview = 8                  // values of a topic
)

// freshThing is a device or a topic that the tile asks about.
type freshThing struct {
	ID, Title, About string
	Name             string // to begin with
	Seen             template.HTML
	Values           []freshValue
	Mapping          string // of a topic
	Waiting          int
	Problem          string // why the proposal reads nothing
}

// freshValue is a value as it is shown.
type freshValue struct {
	Title string
	Value template.HTML
	Unit  string
}

// fresh asks for names and rooms of devices that nobody has named yet, and for mappings of topics
// whose messages wait as dead letters.
func fresh(ctx context.Context, w *world) (*Tile, error) {
	saved, err := w.st.PageDevices(ctx)
	if err != nil {
		return nil, err
	}
	devices, err := w.devices(ctx)
	if err != nil {
		return nil, err
	}
	var things []freshThing
	for _, d := range devices {
		if w.isFresh(d, saved) {
			things = append(things, w.freshDevice(d))
		}
	}
	var topics []freshThing
	if slices.ContainsFunc(w.Status.Dead, func(d status.Dead) bool { return strings.HasPrefix(d.Reason, wire.Unmapped) }) {
		letters, err := w.st.DeadLetters(ctx, maxUnmapped)
		if err != nil {
			return nil, err
		}
		for _, t := range unmapped.Topics(letters, saved) {
			if t.Mapping != "" {
				topics = append(topics, w.freshTopic(t))
			}
		}
	}
	if len(things)+len(topics) == 0 {
		return nil, nil
	}
	t := &Tile{Body: draw("new", struct {
		Devices, Topics []freshThing
		More            int
		Rooms           []string
	}{things[:min(len(things), maxFresh)], topics[:min(len(topics), maxFresh)], max(0, len(things)-maxFresh) + max(0, len(topics)-maxFresh), roomNames(devices)})}
	if n := len(things); n > 0 {
		need := Need{Severity: alert.Info, What: texts.Say("new.device", things[0].Title), Rest: texts.HTML("new.nameIt"), Link: "#tile-new", Since: w.Now}
		if n > 1 {
			need.What, need.Rest = texts.Say("new.devices", n), texts.HTML("new.nameThem")
		}
		t.Needs = append(t.Needs, need)
	}
	return t, nil
}

// isFresh reports whether a device is new and nobody has said anything about it: neither in
// hearth.yml nor on the page, nor by a name at its source from which its room is seen.
func (w *world) isFresh(d device, saved []store.PageDevice) bool {
	group := catalogue.DeviceKindOf(d.Kind).Group
	return group == "" && !d.Sample && w.Now.Sub(d.Device.Seen) < freshFor && (d.Place == "" || isAddress(d.Title)) && !IsNamed(w.File, d.ID) &&
		!slices.ContainsFunc(saved, func(p store.PageDevice) bool { return p.Device == d.ID })
}

// IsNamed reports whether hearth.yml has an entry for a device.
func IsNamed(f *settings.File, id string) bool {
	return slices.ContainsFunc(f.Devices, func(d settings.Device) bool { return slices.Contains(d.Device, id) })
}

// isAddress reports whether a name is the IEEE address of a Zigbee device.
func isAddress(name string) bool { return strings.HasPrefix(strings.ToLower(name), "0x") }

func (w *world) freshDevice(d device) freshThing {
	out := freshThing{ID: d.ID, Title: d.Title, Name: d.Title, Seen: w.at(d.Device.Seen, age)}
	if isAddress(d.Title) {
		out.Name = ""
	}
	if !strings.EqualFold(d.ID, d.Title) {
		out.About = w.Redact(d.ID)
	}
	var keys []string
	for key, s := range d.Values {
		if s.Text == "" && show(key) == catalogue.Listed {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b)) })
	for _, key := range keys[:min(len(keys), freshValues)] {
		f := w.anyField(key)
		value, unit := w.shown(d.Values[key].Value, f, nil)
		out.Values = append(out.Values, freshValue{f.Title, value, unit})
	}
	return out
}

// anyField returns how a metric of any device is shown.
func (w *world) anyField(key string) catalogue.Field {
	for _, m := range append(slices.Clone(w.declared), catalogue.All()...) {
		if f, ok := m.Field(key); ok && m.OfDevices() {
			return f
		}
	}
	return catalogue.Field{Key: key, Title: catalogue.Title(key), Unit: catalogue.KeyUnit(key)}
}

// rank returns where a metric stands among those of its device: what the catalogue knows first.
func rank(key string) int {
	z, _ := catalogue.Get("zigbee")
	if i, ok := z.Position(key); ok {
		return i
	}
	return len(z.Fields)
}

func (w *world) freshTopic(t unmapped.Topic) freshThing {
	out := freshThing{ID: t.ID, Title: w.Redact(t.Name), Waiting: t.Waiting, Mapping: w.Redact(t.Mapping)}
	values, err := t.Try(t.Mapping)
	if err != nil {
		out.Problem = w.Redact(err.Error())
	}
	for _, v := range values[:min(len(values), freshPreview)] {
		shown := freshValue{Title: w.Redact(v.Field.Title), Value: escaped(w.Redact(v.Text))}
		if v.Text == "" {
			shown.Value, shown.Unit = w.shown(v.V, v.Field, nil)
		}
		out.Values = append(out.Values, shown)
	}
	return out
}

// roomNames returns the rooms that there are.
func roomNames(ds []device) (out []string) {
	for _, d := range ds {
		if d.Place != "" {
			out = append(out, d.Place)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
