package bridge

import (
	"slices"
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// subscribe makes the broker's subscriptions what the functions want, with no
// filter that another one covers: some brokers (EMQX) send a message once for each
// subscription that takes it, and copies cannot be told from messages. Where two
// filters overlap in part, such a broker sends it twice all the same.
func (br *broker) subscribe() {
	br.mu.Lock()
	defer br.mu.Unlock()
	for br.up.Load() && br.adjust() {
	}
}

// adjust reports whether the broker refused something, so that what was covered
// by it is to be subscribed on its own. With br.mu.
func (br *broker) adjust() (again bool) {
	known := br.b.known()
	wanted := append(br.topics(), br.b.canary.topic)
	br.asked.Store(slices.ContainsFunc(wanted, func(f string) bool { return strings.HasSuffix(f, ackSuffix) }))
	wanted = slices.DeleteFunc(wanted, func(f string) bool { return br.refused[f] })
	held := widest(wanted)
	add, drop := map[string]byte{}, []string{}
	for _, f := range held {
		if !br.subs[f] {
			add[f] = 1
		}
	}
	for _, f := range wanted {
		if br.heard[f] {
			continue
		}
		// Subscribed once more, a filter brings what is retained to those under it
		// that are new.
		over := held[slices.IndexFunc(held, func(h string) bool { return covers(h, f) })]
		if add[over] = 1; over != f {
			drop = append(drop, f) // subscribed in an earlier life, perhaps
		}
	}
	if !br.subs[droppedTopic] {
		add[droppedTopic] = 0
	}
	if len(add) > 0 {
		br.b.hears.Store(false)
		refused, ok := br.ask(add)
		if !ok {
			return false // tried again at the next look at the functions
		}
		again = len(refused) > 0
	}
	for _, f := range wanted {
		br.heard[f] = true
	}
	br.b.hears.Store(known && !again)
	for f := range br.subs {
		if f != droppedTopic && !slices.Contains(held, f) {
			drop = append(drop, f)
		}
	}
	if len(drop) > 0 && !again { // only now: no message falls in between
		if t := br.client.Unsubscribe(drop...); !t.WaitTimeout(publishWait) || t.Error() != nil {
			br.b.log.Warn("unsubscribe", "err", t.Error())
		}
		for _, f := range drop {
			delete(br.subs, f)
		}
	}
	return again
}

// ask subscribes and returns what was refused. With br.mu.
func (br *broker) ask(add map[string]byte) (refused []string, ok bool) {
	t := br.client.SubscribeMultiple(add, nil)
	if !t.WaitTimeout(publishWait) || t.Error() != nil {
		br.b.log.Warn("subscribe", "err", t.Error())
		return nil, false
	}
	granted := map[string]byte{}
	if st, ok := t.(*mqtt.SubscribeToken); ok {
		granted = st.Result()
	}
	for f := range add {
		if granted[f] == refusedFilter && f != droppedTopic {
			br.b.log.Error("the broker does not let this client subscribe: check its access rules", "topic", f)
			br.refused[f] = true
			refused = append(refused, f)
			continue
		}
		br.subs[f] = true
	}
	br.b.log.Info("subscribed", "topics", len(br.subs)-1)
	return refused, true
}
