package intake

import (
	"slices"
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/wire"
)

// want subscribes to filters, and to nothing else, in this connection and the next.
func (s *session) want(filters []string) {
	s.mu.Lock()
	s.wanted, s.known = filters, true
	s.mu.Unlock()
	s.subscribe()
}

// subscribe makes the broker's subscriptions what is wanted, with no filter that
// another one covers: some brokers (EMQX) send a message once for each
// subscription that matches, and a copy looks like another message. Where two
// filters overlap in part, such a broker sends it twice all the same.
func (s *session) subscribe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.up.Load() && s.adjust() {
	}
}

// adjust reports whether the broker refused a filter, so that those that it
// covered are to be subscribed on their own. With s.mu.
func (s *session) adjust() (again bool) {
	wanted := append(slices.Clone(s.wanted), s.topic)
	s.acks.Store(slices.ContainsFunc(wanted, wantsAcks))
	wanted = slices.DeleteFunc(wanted, func(f string) bool { return s.refused[f] })
	wide := widest(wanted)
	add, drop := s.missing(wanted, wide)
	if len(add) > 0 {
		s.complete.Store(false)
		refused, ok := s.ask(add)
		if !ok {
			return false // tried again at the next want
		}
		again = len(refused) > 0
	}
	for _, f := range wanted {
		s.heard[f] = true
	}
	s.complete.Store(s.known && !again)
	for f := range s.subs {
		if f != droppedTopic && !slices.Contains(wide, f) {
			drop = append(drop, f)
		}
	}
	if len(drop) > 0 && !again { // only now: no message falls in between
		if t := s.client.Unsubscribe(drop...); !t.WaitTimeout(publishWait) || t.Error() != nil {
			s.log.Warn("unsubscribe", "err", t.Error())
		}
		for _, f := range drop {
			delete(s.subs, f)
		}
	}
	return again
}

// missing returns what is to be subscribed, with its QoS, of the filters wanted
// and the wide ones that cover them, and what an earlier session may have
// subscribed that is covered now. With s.mu.
func (s *session) missing(wanted, wide []string) (add map[string]byte, drop []string) {
	add = map[string]byte{}
	for _, f := range wide {
		if !s.subs[f] {
			add[f] = 1
		}
	}
	for _, f := range wanted {
		if s.heard[f] {
			continue
		}
		// Subscribed once more, a filter brings what is retained, to those that it
		// covers and that are new.
		over := wide[slices.IndexFunc(wide, func(w string) bool { return covers(w, f) })]
		if add[over] = 1; over != f {
			drop = append(drop, f)
		}
	}
	if !s.subs[droppedTopic] {
		add[droppedTopic] = 0
	}
	return add, drop
}

// isAck reports whether a topic is that of an acknowledgement to an edge node.
func isAck(topic string) bool {
	kind, _ := wire.Parse(topic)
	return kind == wire.Stored
}

// wantsAcks reports whether a filter asks for those by their name, not only as
// part of hearth/#.
func wantsAcks(filter string) bool { return strings.HasSuffix(filter, "/stored") }

// ask subscribes and returns what was refused. With s.mu.
func (s *session) ask(add map[string]byte) (refused []string, ok bool) {
	t := s.client.SubscribeMultiple(add, nil)
	if !t.WaitTimeout(publishWait) || t.Error() != nil {
		s.log.Warn("subscribe", "err", t.Error())
		return nil, false
	}
	codes := map[string]byte{}
	if st, ok := t.(*mqtt.SubscribeToken); ok {
		codes = st.Result()
	}
	for f := range add {
		if codes[f] == refusedFilter && f != droppedTopic {
			s.log.Error("the broker does not let this client subscribe: check its access rules", "topic", f)
			s.refused[f] = true
			refused = append(refused, f)
			continue
		}
		s.subs[f] = true
	}
	s.log.Info("subscribed", "topics", len(s.subs)-1)
	return refused, true
}
