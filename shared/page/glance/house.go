package glance

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/page/texts"
	"github.com/hearth-home/hearth/shared/rules"
)

const maxTroubled = 4 // devices that are named

// houseData is what the markup reads.
type houseData struct {
	Troubled []troubled
	More     int    // that are not named
	Well     string // "27 devices well"
	All      bool   // a click shows all of them
	Calm     []template.HTML
	Dead     string // "3 messages could not be read"
	Link     string // where those are
}

// troubled is a device that needs something.
type troubled struct {
	Name   string
	Text   template.HTML
	Class  string // dot-bad or dot-mid by an open alert, else dot-dim
	weight int
}

func house(ctx context.Context, w *world) (*Tile, error) {
	devices, err := w.devices(ctx)
	if err != nil {
		return nil, err
	}
	devices = slices.DeleteFunc(slices.Clone(devices), func(d device) bool { return !w.isIn(d.Place) })
	data := houseData{}
	if !w.Guest {
		data.Dead, data.Link = deadLetters(w.Status), "status#dead"
	}
	if len(devices) == 0 && data.Dead == "" {
		return nil, nil
	}
	t := &Tile{Sample: len(devices) > 0, At: w.Now.Truncate(shortestPause), Stale: 2 * shortestPause} // what it counts holds now
	for _, d := range devices {
		t.Sample = t.Sample && d.Sample
	}
	data.All = !w.Guest && len(devices) > 0
	found, waiting := w.troubles(devices)
	if well := len(devices) - len(found) - waiting; well > 0 {
		data.Well = texts.Say("house.well", text(float64(well), 0))
	}
	data.More = max(0, len(found)-maxTroubled)
	data.Troubled = found[:min(len(found), maxTroubled)]
	data.Calm = w.calm(devices)
	t.Body = draw("house", data)
	return t, nil
}

// troubles returns the devices that need something, the gravest first, and how many only wait
// for what they depend on.
func (w *world) troubles(devices []device) (out []troubled, waiting int) {
	states := map[string]status.Device{}
	for _, r := range w.Status.Rooms {
		for _, d := range r.Devices {
			states[d.ID] = d
		}
	}
	explained := explainedOf(w.Status.Alerts)
	for _, d := range devices {
		if explained[d.ID] {
			waiting++
		} else if t, ok := w.troubleOf(d, states[d.ID]); ok {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b troubled) int {
		return cmp.Or(a.weight-b.weight, strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
	return out, waiting
}

// explainedOf returns the device ids of the alerts that another alert explains.
func explainedOf(as status.Alerts) map[string]bool {
	out := map[string]bool{}
	for _, root := range as.Open {
		for _, a := range root.Below {
			out[a.Device] = true
		}
	}
	return out
}

// troubleOf says what a device needs: by its gravest open alert, or else by its state.
func (w *world) troubleOf(d device, s status.Device) (troubled, bool) {
	t := troubled{Name: w.spoken(d), Class: "dot-dim", weight: 3}
	for _, a := range w.Status.Alerts.Open {
		if a.Device != d.ID || !ofDevice(a.Key) {
			continue
		}
		t.Text = w.trouble(a, d)
		if !a.Acked && !a.Silenced && !a.Maintained {
			t.Class, t.weight = "dot-"+colour(a.Severity), map[alert.Severity]int{alert.Critical: 0, alert.Warning: 1}[a.Severity]
		}
		return t, true
	}
	battery := slices.IndexFunc(s.Small, func(m status.Metric) bool { return m.Warn && strings.HasPrefix(m.Key, "battery") })
	switch {
	case d.Away || s.State == "offline":
		t.Text = texts.HTML("house.offline", w.at(d.Seen, age))
	case s.State == "silent":
		t.Text = texts.HTML("house.silent", w.at(d.Seen, age))
	case battery >= 0:
		t.Text = texts.HTML("house.battery", charge(s.Small[battery]))
	case s.Quality == "suspect":
		t.Text = texts.HTML("house.suspect")
	case s.Quality == "clock_unsynced":
		t.Text = texts.HTML("house.clock")
	default:
		return t, false
	}
	return t, true
}

// charge writes a battery's charge: "8 %", or what its flag means.
func charge(m status.Metric) template.HTML {
	if m.Value == nil || m.Text != "" {
		return escaped(m.Text)
	}
	return num(*m.Value, 0) + " %"
}

// ofDevice reports whether an alert is about a device itself, not about what it measures.
func ofDevice(key string) bool {
	rule, rest, _ := strings.Cut(key, "/")
	switch rule {
	case rules.Silent, rules.Frozen, rules.DeviceOffline, rules.NodeOffline, rules.BridgeOffline, rules.SequenceGap:
		return true
	}
	_, metric, _ := strings.Cut(rest, "/")
	return strings.Contains(metric, "battery") || strings.Contains(metric, "tamper")
}

// trouble says in a few words what an alert says of a device.
func (w *world) trouble(a status.Alert, d device) template.HTML {
	rule, _, _ := strings.Cut(a.Key, "/")
	switch rule {
	case rules.Silent:
		return texts.HTML("house.silent", w.at(earlier(d.Seen, cmp.Or(a.Since, d.Seen)), age))
	case rules.DeviceOffline, rules.NodeOffline, rules.BridgeOffline:
		said := texts.HTML("house.offline", w.at(a.Since, age))
		if n := len(a.Below); n > 0 {
			said += ", " + texts.HTML("house.depend", text(float64(n), 0))
		}
		return said
	case rules.Frozen:
		return texts.HTML("house.frozen", w.at(a.Since, age))
	}
	if strings.HasSuffix(a.Key, "/battery_percent") && a.Value != "" {
		return texts.HTML("house.battery", w.quantity(a.Value, true))
	}
	title := a.Title
	if len(title) > 1 && strings.ToUpper(title[1:2]) != title[1:2] {
		title = strings.ToLower(title[:1]) + title[1:]
	}
	return escaped(title)
}

// deadLetters says how many messages could not be read, and how many readings are missing.
func deadLetters(d status.Data) string {
	n, missing := 0, uint64(0)
	for _, c := range d.Dead {
		n += c.Letters
	}
	for _, r := range d.Rooms {
		for _, x := range r.Devices {
			missing += x.Missing
		}
	}
	var parts []string
	if n > 0 {
		dead := texts.Say("house.dead", text(float64(n), 0))
		if d.MoreDead {
			dead = texts.Say("house.moreThan", dead)
		}
		parts = append(parts, dead)
	}
	if missing > 0 {
		parts = append(parts, texts.Say("house.missing", text(float64(missing), 0)))
	}
	return strings.Join(parts, " · ")
}
