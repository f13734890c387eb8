package page

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/store"
)

const topicPrefix = "topic/" // of physical ids

// names are what the page shows of devices besides their values.
type names struct {
	topics map[string]string // that a device sends on, by its id
	own    map[string]string // the topic that is a device's name, too, by its id
}

func namesOf(ids []store.DeviceID, redact func(string) string) names {
	n := names{map[string]string{}, map[string]string{}}
	for _, id := range ids {
		if t := redact(topicOf(id)); t != "" && !slices.Contains(strings.Split(n.topics[id.Device], ", "), t) {
			n.topics[id.Device] = strings.TrimPrefix(n.topics[id.Device]+", "+t, ", ")
		}
		if strings.HasPrefix(id.Physical, topicPrefix) {
			n.own[id.Device] = id.Name
		}
	}
	return n
}

// topicOf returns the topic on which a physical id was seen first, "" if it is unknown.
func topicOf(id store.DeviceID) string {
	var about struct{ Topic, Base string }
	_ = json.Unmarshal(id.About, &about) // what cannot be read says no topic
	switch {
	case about.Topic != "":
		return about.Topic
	case about.Base != "":
		return about.Base + "/" + id.Name
	case strings.HasPrefix(id.Physical, topicPrefix):
		topic, _, _ := strings.Cut(strings.TrimPrefix(id.Physical, topicPrefix), "#")
		return topic
	}
	return ""
}

// shorten shows devices whose name is their topic under the last levels of it, as many as
// no other device has.
func (n names) shorten(devices []Device) {
	all := make([][]string, len(devices))
	of := map[string]int{} // devices by what they may be called
	for i, d := range devices {
		all[i] = []string{d.Name}
		if own := n.own[d.ID]; own == d.Name {
			all[i] = shorter(own)
		}
		for _, name := range all[i] {
			of[name]++
		}
	}
	for i, names := range all {
		for _, name := range names {
			if of[name] == 1 || name == names[len(names)-1] {
				devices[i].Name = name
				break
			}
		}
	}
}

// shorter returns the ends of a topic, the shortest first and the whole one last. Levels
// that say a kind of message are left out at its end if possible.
func shorter(topic string) (out []string) {
	levels := strings.Split(strings.Trim(topic, "/"), "/")
	end := len(levels)
	for end > 0 && kindsOfMessage[strings.ToLower(levels[end-1])] {
		end--
	}
	for _, ls := range [][]string{levels[:end], levels} {
		for from := len(ls) - 1; from >= 0; from-- {
			if name := strings.Join(ls[from:], "/"); name != "" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	if !slices.Contains(out, topic) {
		out = append(out, topic)
	}
	return out
}

// kindsOfMessage are levels of topics, in small letters, that name no device.
var kindsOfMessage = map[string]bool{"state": true, "status": true, "sensor": true, "sensors": true, "data": true, "telemetry": true, "value": true,
	"values": true, "json": true, "info": true, "events": true, "result": true, "": true}
