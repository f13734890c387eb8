package status

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topic"
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
		whole, _, _ := strings.Cut(strings.TrimPrefix(id.Physical, topicPrefix), "#")
		return whole
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
			all[i] = topic.Ends(own)
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
