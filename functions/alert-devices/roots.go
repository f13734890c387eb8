package function

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/silence"
	"github.com/hearth-home/hearth/shared/topology"
)

const (
	canaryTime = 5 * time.Minute // without a canary for so long, nothing comes through the broker
	mostNames  = 8               // of devices in a message
	settle     = 2 * time.Minute // a node or bridge that starts again is not offline
)

// ours reports whether only this function judges an alert: the name of the default rule
// begins its key, also where a rule of hearth.yml decides about it.
func ours(s *alert.State) bool {
	rule, _, _ := strings.Cut(s.Key, "/")
	switch rule {
	case rules.Silent, rules.Frozen, rules.DeviceOffline, rules.NodeOffline, rules.BridgeOffline, rules.BrokerSilent:
		return true
	}
	return false
}

// explaining are the rules whose alerts explain others.
var explaining = map[string]bool{rules.NodeOffline: true, rules.BridgeOffline: true, rules.BrokerSilent: true, rules.StoreAway: true, rules.DeviceOffline: true, rules.UPSLinkLost: true}

// openRoots returns the keys of the alerts that explain others and are open or pending.
func (t *tick) openRoots() map[string]bool {
	out := map[string]bool{}
	for key, s := range t.active {
		if explaining[s.Rule] && (s.Open() || s.Phase == alert.Pending) {
			out[key] = true
		}
	}
	return out
}

// roots judges what many devices depend on: the broker, nodes and bridges.
func (t *tick) roots() (out []alert.Observation) {
	broker, bad := t.broker()
	if broker != nil {
		out = append(out, *broker)
	}
	for _, id := range slices.Sorted(maps.Keys(t.devices)) {
		d := t.devices[id]
		key := rootKey(d)
		if key == "" || bad {
			continue
		}
		rule, _, _ := strings.Cut(key, "/")
		spec, on := t.rules.Spec(rule, d.ID, d.Room)
		if !on {
			continue
		}
		spec.For = max(spec.For, settle)
		o := alert.Observation{Key: key, Spec: spec, At: t.now, Sample: d.sample, Subject: alert.Subject{Device: d.ID, Name: d.Name, Room: d.Room, Parents: []string{"broker"}, Roots: []string{topology.Broker}}}
		if t.judgeRoot(d, &o) {
			t.judged[key] = true
			out = append(out, o)
		}
	}
	return out
}

// broker judges whether messages come through the broker: the connector publishes one each
// minute. It returns nil if nothing is known.
func (t *tick) broker() (o *alert.Observation, bad bool) {
	spec, on := t.rules.Spec(rules.BrokerSilent, "", "")
	if !on || t.canary.IsZero() {
		return nil, false
	}
	o = &alert.Observation{Key: topology.Broker, Spec: spec, At: t.now, Verdict: alert.Good, LastOK: t.canary, Text: "Messages come through the broker."}
	if bad = t.now.Sub(t.canary) > canaryTime; bad {
		if t.now.Sub(t.watch.Since) <= canaryTime { // hearth has just come back
			return nil, true
		}
		o.Verdict = alert.Bad
		o.Text = fmt.Sprintf("The last test message came through at %s. %s", t.house.When(t.canary, t.now), t.depend(t.ids()))
	}
	t.judged[o.Key] = true
	return o, bad
}

// judgeRoot judges a node or bridge: by what its last will says, or because the devices
// behind it fell silent at one moment. It returns false if nothing is known.
func (t *tick) judgeRoot(d *device, o *alert.Observation) bool {
	below := t.below(d)
	var ids []string
	for _, m := range below {
		ids = append(ids, m.ID)
	}
	at, gone, vanished := silence.Vanished(below, t.now)
	open := t.active[o.Key].Key != ""
	switch {
	case d.online != nil && d.online.Value == 0:
		if !open && t.now.Sub(d.online.Changed) > longGone {
			return false
		}
		o.Verdict, o.LastOK = alert.Bad, d.online.Changed
		o.Text = fmt.Sprintf("It is offline since %s. %s", t.house.When(d.online.Changed, t.now), t.depend(ids))
	case vanished:
		o.Verdict, o.LastOK = alert.Bad, at
		o.Text = fmt.Sprintf("%d of %d devices have reported nothing since %s: %s.", len(gone), len(below), t.house.When(at, t.now), t.names(gone, mostNames))
	case !open && d.online == nil:
		return false
	default:
		o.Verdict, o.Text = alert.Good, "It is online."
	}
	return true
}

// below returns the devices behind a node or bridge whose silence is judged.
func (t *tick) below(d *device) (out []silence.Member) {
	base := latest(latest(t.watch.Since, t.over(topology.Broker)), t.ended[rootKey(d)])
	if d.online != nil && d.online.Value == 1 {
		base = latest(base, d.online.Changed)
	}
	for _, id := range t.links.Below(d.ID) {
		m := t.devices[id]
		if m.watched && !(m.online != nil && m.online.Value == 0) && t.now.Sub(m.seen) < longGone {
			out = append(out, silence.Member{ID: id, Last: latest(m.seen, base), Limit: m.limit})
		}
	}
	return out
}

// ids returns the ids of all watched devices.
func (t *tick) ids() (out []string) {
	for _, d := range t.watched {
		out = append(out, d.ID)
	}
	return out
}

// depend names the devices that depend on something.
func (t *tick) depend(ids []string) string {
	switch len(ids) {
	case 0:
		return "No device depends on it."
	case 1:
		return "One device depends on it: " + t.names(ids, mostNames) + "."
	}
	return fmt.Sprintf("%d devices depend on it: %s.", len(ids), t.names(ids, mostNames))
}

// join lists texts, at most so many: "A, B and 3 more".
func join(texts []string, most int) string {
	n := len(texts)
	switch {
	case n == 0:
		return ""
	case n > most:
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), n-most)
	case n == 1:
		return texts[0]
	}
	return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1]
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
