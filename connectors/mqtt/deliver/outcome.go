package deliver

import (
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/wire"
)

// outlet is where the outcome of calls goes, for all functions.
type outlet struct {
	letters     *deadletter.Letters
	acks        *acks
	canary      *canary
	publish     func(topic string, payload []byte, retained bool) bool
	redact      func(string) string
	repliesLost atomic.Uint64
}

// pass hands on what an answer has beside its own messages: up to which number an
// edge node's readings are stored, and which dead letters are to be replayed or
// dropped. It is called before the messages count as done: after a kill in between
// they are sent, and answered, again.
func (o *outlet) pass(c *consumer, a answer) {
	for node, p := range a.Stored {
		o.acks.set(node, p)
	}
	for _, r := range a.requests(c.f, c.log) {
		if err := o.letters.Request(r); err != nil {
			c.log.Error("a request for dead letters is not taken, or would be lost at a restart", "id", r.ID, "drop", r.Drop, "function", r.Function, "topic", r.Topic, "err", err)
		}
	}
}

// took is what follows when a function has stored messages.
func (w *worker) took(ms []*item, body []byte) {
	w.good.Store(time.Now().UnixNano())
	w.recovered()
	w.stored.Add(uint64(len(ms)))
	messages := make([]*message.Message, len(ms))
	for i, it := range ms {
		messages[i] = &it.Message
	}
	w.outlet.letters.Stored(w.f.Name, messages...)
	for _, it := range ms {
		w.outlet.canary.storedMessage(&it.Message)
		it.finish()
	}
	if w.f.Reply != "" && w.f.Batch == 0 && len(body) > 0 {
		w.reply(&ms[0].Message, body)
	}
}

// reply publishes a function's answer, unless that would call it again or is not
// the whole of it.
func (w *worker) reply(m *message.Message, body []byte) {
	switch {
	case len(body) > maxAnswer:
		w.outlet.repliesLost.Add(1)
		w.log.Error("an answer is too long: not published", "topic", w.f.Reply, "message", m.ID(), "most", maxAnswer)
	case matchAny(w.f.Filters, w.f.Reply):
		w.log.Error("mqtt-reply would call the function again: not published", "topic", w.f.Reply)
	case !w.outlet.publish(w.f.Reply, body, false):
		w.outlet.repliesLost.Add(1)
	}
}

// part deals with a 207: what is neither rejected nor asked for again is stored.
func (w *worker) part(ms []*item, a answer) {
	rejected, again := reasons(a.Rejected), reasons(a.Retry)
	var good, bad []*item
	why := make([]string, 0, len(rejected))
	for _, it := range ms {
		id := it.ID()
		if reason, ok := rejected[id]; ok {
			bad, why = append(bad, it), append(why, reason)
		} else if reason, ok := again[id]; ok && it.asks >= maxAsks {
			bad, why = append(bad, it), append(why, "asked for again and again: "+reason)
		} else if ok {
			w.later(it, min(time.Second<<min(it.asks, 4), 10*time.Second))
			it.asks++
		} else {
			good = append(good, it)
		}
	}
	for i, it := range bad {
		w.addDead([]*item{it}, why[i])
	}
	w.outlet.pass(w.consumer, a)
	w.took(good, nil)
}

func reasons(rs []wire.Refusal) map[string]string {
	m := make(map[string]string, len(rs))
	for _, r := range rs {
		m[r.ID] = r.Reason
	}
	return m
}

// addDead makes dead letters of messages. Until those are on disk, the messages
// are not done with.
func (w *worker) addDead(ms []*item, reason string) {
	w.recovered() // it answers
	for _, it := range ms {
		for wait := minWait; ; wait = min(wait*2, maxWait) {
			err := w.outlet.letters.Add(w.f.Name, &it.Message, reason)
			if err == nil {
				break
			}
			w.log.Error("a dead letter cannot be written, trying again", "err", err)
			if !pause(w.calling, wait) {
				return
			}
		}
		w.dead.Add(1)
		it.finish()
	}
}
