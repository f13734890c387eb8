package why

import (
	"cmp"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/catalogue"
)

// Lines returns the report for a person: what the device is, the way of its messages, and
// what to do.
func (r Report) Lines() []string {
	title := fmt.Sprintf("%s (%s), %s", cmp.Or(r.Device.Name, r.Device.ID), r.Device.ID, r.Device.Kind)
	if r.Device.Room != "" {
		title += ", in " + r.Device.Room
	}
	advice := "What to do: " + r.Advice()
	if last := Seen(r.Last); r.Last.Metric != "" && r.offline.Metric == "" && r.Now.Sub(last) < quietTime {
		advice = "It reports."
	}
	return append(append([]string{title}, r.Way()...), advice)
}

// Way returns how far the messages of the device come, from the device to the store.
func (r Report) Way() []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if r.Last.Metric == "" {
		add("It has never reported a value.")
	} else {
		add("Last report: %s, %s %s", r.ago(Seen(r.Last)), r.Last.Metric, r.value())
	}
	if r.offline.Metric != "" {
		add("Its source says that it cannot be reached, since %s.", r.when(r.offline.Changed))
	}
	if h := r.hop; h != nil {
		state := "unknown whether it is online"
		if h.known {
			state = map[bool]string{true: "online", false: "offline"}[h.online] + " since " + r.when(h.since)
		}
		add("%s, which forwards its messages: %s", cmp.Or(h.device.Name, h.device.ID), state)
	}
	if !r.canary.IsZero() {
		add("Broker: the last test message came through %s.", r.ago(r.canary))
	}
	if d := r.Dead; d != nil {
		add("Dead letter of %s, %s: %s", d.Topic, r.ago(d.Last), d.Reason)
	}
	return out
}

// Advice returns what to do about a silent device, by the first hop that fails.
func (r Report) Advice() string {
	last := Seen(r.Last)
	switch {
	case !r.canary.IsZero() && r.Now.Sub(r.canary) > canaryFresh:
		return "Check that the MQTT broker and hearth's connector run: nothing comes through the broker."
	case r.hop != nil && r.hop.known && !r.hop.online && r.Device.Kind == "zigbee":
		return "Start Zigbee2MQTT and check its adapter."
	case r.hop != nil && r.hop.known && !r.hop.online:
		return "Start the computer " + cmp.Or(r.hop.device.Name, r.hop.device.ID) + " and its edge agent, and check its network."
	case r.Dead != nil && r.Dead.Last.After(last):
		return "It sends, but its messages cannot be stored: correct the reason above, then replay them with hearth dead replay."
	case r.Last.Metric == "":
		return "See what it publishes with hearth device TOPIC."
	case r.Device.Kind == "zigbee":
		return "Check its power or battery, and press its button once. If it stays silent, pair it again closer to a router."
	case r.Device.Kind == "edge":
		return "Check its cable and power. The log of the edge agent says why it cannot be read."
	}
	return "Check its power and its network, and that it still publishes on the same topic."
}

// value returns the latest value with its unit.
func (r Report) value() string {
	if r.Last.Text != "" {
		return fmt.Sprintf("%q", r.Last.Text)
	}
	return alert.Number(r.Last.Value, catalogue.KeyUnit(r.Last.Metric))
}

func (r Report) when(t time.Time) string {
	return (&alert.House{Zone: r.Zone}).When(t, r.Now)
}

func (r Report) ago(t time.Time) string {
	return fmt.Sprintf("%s (%s ago)", r.when(t), alert.Span(r.Now.Sub(t)))
}
