package deliver

import (
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/topic"
)

// matchAny reports whether one of the MQTT filters matches the topic name.
func matchAny(filters []string, name string) bool {
	for _, f := range filters {
		if topic.Match(f, name) {
			return true
		}
	}
	return false
}

const maxTopics = 8192 // size of a lane's cache: topic -> whether the function subscribes to it

// matcher returns a func that reports whether a message is for the function. The func
// caches its answers by topic and is for one goroutine only.
func (f subscriber) matcher() func(*message.Message) bool {
	known := map[string]bool{} // by topic
	return func(m *message.Message) bool {
		if m.Only != "" {
			return m.Only == f.Name
		}
		yes, ok := known[m.Topic]
		if !ok {
			if len(known) >= maxTopics {
				clear(known)
			}
			yes = matchAny(f.Filters, m.Topic) && !matchAny(f.Except, m.Topic)
			known[m.Topic] = yes
		}
		return yes
	}
}
