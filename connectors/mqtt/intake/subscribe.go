package intake

import (
	"maps"
	"slices"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/wire"
)

// setFilters replaces the subscriptions by filters, in this connection and in later ones.
func (s *session) setFilters(filters []string) {
	s.mu.Lock()
	s.wanted, s.filtersSet = filters, true
	s.mu.Unlock()
	s.subscribe()
}

// subscribe makes the broker's subscriptions equal to the wanted filters, without
// those that another one covers. Some brokers (EMQX) send a message once for each
// subscription that matches, and the copy cannot be told from a new message. If two
// filters overlap only in part, such a broker still sends a message twice.
func (s *session) subscribe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.refusedAt) >= askAgain {
		clear(s.refused) // the owner may have changed the access rules
	}
	for s.up.Load() && s.adjust() {
	}
}

// adjust does one round of subscribe. It returns true if the broker refused a filter:
// then another round subscribes to the filters that the refused one covered. The
// caller holds s.mu.
func (s *session) adjust() (again bool) {
	wanted := append(slices.Clone(s.wanted), s.topic)
	s.acksWanted.Store(slices.ContainsFunc(wanted, wantsAcks))
	wanted = slices.DeleteFunc(wanted, func(f string) bool { return s.refused[f] })
	wide := widest(wanted)
	add, drop := s.missing(wanted, wide)
	if len(add) > 0 {
		s.complete.Store(false)
		refused, ok := s.request(add)
		if !ok {
			return false // the next call of setFilters tries again
		}
		again = len(refused) > 0
	}
	if !again {
		s.reporter.Refused(slices.Sorted(maps.Keys(s.refused)))
	}
	for _, f := range wanted {
		s.gotRetained[f] = true
	}
	s.complete.Store(s.filtersSet && !again)
	for f := range s.subs {
		if f != droppedTopic && !slices.Contains(wide, f) {
			drop = append(drop, f)
		}
	}
	if len(drop) > 0 && !again { // after the new filters are subscribed, so that no message is missed
		s.unsubscribe(drop)
	}
	return again
}

// unsubscribe removes filters from the broker's subscriptions. The caller holds s.mu.
func (s *session) unsubscribe(filters []string) {
	if t := s.client.Unsubscribe(filters...); !t.WaitTimeout(publishWait) || t.Error() != nil {
		s.log.Warn("unsubscribing failed", "err", t.Error())
	}
	for _, f := range filters {
		delete(s.subs, f)
	}
}

// missing returns the filters that are to be subscribed, with their QoS. wide are the
// wanted filters that no other one covers. drop are the wanted filters that are
// covered and new in this connection: an earlier connection may have subscribed to
// them. The caller holds s.mu.
func (s *session) missing(wanted, wide []string) (add map[string]byte, drop []string) {
	add = map[string]byte{}
	for _, f := range wide {
		if !s.subs[f] {
			add[f] = 1
		}
	}
	for _, f := range wanted {
		if s.gotRetained[f] {
			continue
		}
		// f is new. Subscribing again to the filter that covers it makes the broker send
		// the retained messages of f.
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

// isAck reports whether a topic is the one of acknowledgements to an edge node.
func isAck(topic string) bool {
	kind, _ := wire.Parse(topic)
	return kind == wire.Stored
}

// wantsAcks reports whether a filter names the topic of acknowledgements, as
// hearth/+/stored does and hearth/# does not.
func wantsAcks(filter string) bool { return strings.HasSuffix(filter, "/stored") }

// request sends a SUBSCRIBE and returns the filters that the broker refused. ok is
// false if the broker did not answer. The caller holds s.mu.
func (s *session) request(add map[string]byte) (refused []string, ok bool) {
	t := s.client.SubscribeMultiple(add, nil)
	if !t.WaitTimeout(publishWait) || t.Error() != nil {
		if !s.subFailed && s.up.Load() {
			s.log.Warn("the broker does not answer a subscription, trying again", "err", t.Error())
		}
		s.subFailed = true
		return nil, false
	}
	s.subFailed = false
	codes := map[string]byte{}
	if st, ok := t.(*mqtt.SubscribeToken); ok {
		codes = st.Result()
	}
	for f := range add {
		if codes[f] == refusedFilter && f != droppedTopic {
			s.refused[f], s.refusedAt = true, time.Now()
			refused = append(refused, f)
			continue
		}
		s.subs[f] = true
	}
	s.log.Info("subscribed", "topics", len(s.subs)-1)
	return refused, true
}
