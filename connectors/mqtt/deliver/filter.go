package deliver

import (
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/topic"
)

func matchAny(filters []string, name string) bool {
	for _, f := range filters {
		if topic.Match(f, name) {
			return true
		}
	}
	return false
}

const maxTopics = 8192 // of which a lane remembers whether the function wants them

// wants returns a func that reports whether the function gets a message. One lane
// uses it: it remembers the topics.
func (f listener) wants() func(*message.Message) bool {
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
