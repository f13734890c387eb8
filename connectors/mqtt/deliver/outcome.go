package deliver

import (
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/wire"
)

// outputs is where the results of calls go. All consumers share it.
type outputs struct {
	letters     *deadletter.Letters
	acks        *acks
	alerts      *alerts
	canary      *canary
	publish     func(topic string, payload []byte, retained bool) bool
	redact      func(string) string
	repliesLost atomic.Uint64
	unkept      atomic.Bool // the last dead letter could not be written
}

const unkeptWait = 2 * time.Second // before a message whose dead letter could not be written is sent again

// forward takes from an answer what is not about the messages of the call: the
// acknowledgements to edge nodes, the states of alerts, and the requests to replay or drop
// dead letters. It is called before the messages are marked as done: after a kill in
// between, they are sent again and the function answers the same again.
func (o *outputs) forward(c *consumer, a answer) {
	for node, p := range a.Stored {
		o.acks.set(node, p)
	}
	for key, state := range a.Alerts {
		o.alerts.set(key, state)
	}
	for _, r := range a.requests(c.f, c.log) {
		if err := o.letters.Request(r); err != nil {
			c.log.Error("a request for dead letters is not accepted, or not yet on disk", "id", r.ID, "drop", r.Drop, "function", r.Function, "topic", r.Topic, "err", err)
		}
	}
}

// succeeded marks messages that the function has stored as done, and publishes the
// answer's body if the function has mqtt-reply.
func (w *worker) succeeded(ms []*item, body []byte) {
	w.lastSuccess.Store(time.Now().UnixNano())
	w.noteRecovery()
	w.stored.Add(uint64(len(ms)))
	messages := make([]*message.Message, len(ms))
	for i, it := range ms {
		messages[i] = &it.Message
	}
	w.outputs.letters.Stored(w.f.Name, messages...)
	for _, it := range ms {
		w.outputs.canary.noteStored(&it.Message)
		it.finish()
	}
	if w.f.Reply != "" && w.f.Batch == 0 && len(body) > 0 {
		w.reply(&ms[0].Message, body)
	}
}

// reply publishes the answer of a function with mqtt-reply. It does not publish an
// answer that is incomplete, nor to a topic that would call the function again.
func (w *worker) reply(m *message.Message, body []byte) {
	switch {
	case len(body) > maxAnswer:
		w.outputs.repliesLost.Add(1)
		w.log.Error("an answer is too long to be published", "topic", w.f.Reply, "message", m.ID(), "most", maxAnswer)
	case matchAny(w.f.Filters, w.f.Reply):
		w.log.Error("an answer is not published: the topic in mqtt-reply would call the function again", "topic", w.f.Reply)
	case !w.outputs.publish(w.f.Reply, body, false):
		w.outputs.repliesLost.Add(1)
	}
}

// applyPartial handles a 207. A message that it names in neither list is stored.
func (w *worker) applyPartial(ms []*item, a answer) {
	rejected, retry := reasons(a.Rejected), reasons(a.Retry)
	var good, bad []*item
	why := make([]string, 0, len(rejected)) // by index in bad
	for _, it := range ms {
		id := it.ID()
		if reason, ok := rejected[id]; ok {
			bad, why = append(bad, it), append(why, reason)
		} else if reason, ok := retry[id]; ok && it.retries >= maxRetries {
			bad, why = append(bad, it), append(why, "retried too often: "+reason)
		} else if ok {
			w.delay(it, min(time.Second<<min(it.retries, 4), 10*time.Second))
			it.retries++
		} else {
			good = append(good, it)
		}
	}
	for i, it := range bad {
		w.addDead([]*item{it}, why[i])
	}
	w.outputs.forward(w.consumer, a)
	w.succeeded(good, nil)
}

// reasons returns the reasons by message id.
func reasons(rs []wire.Refusal) map[string]string {
	m := make(map[string]string, len(rs))
	for _, r := range rs {
		m[r.ID] = r.Reason
	}
	return m
}

// addDead adds messages to the dead letters. A message is marked as done only after
// its dead letter is on disk. If that cannot be written, the message stays in the spool
// and is sent to the function again later, so that it holds up no other.
func (w *worker) addDead(ms []*item, reason string) {
	w.noteRecovery() // the function answers
	for _, it := range ms {
		if err := w.outputs.letters.Add(w.f.Name, &it.Message, reason); err != nil {
			if !w.outputs.unkept.Swap(true) {
				w.log.Error("dead letters cannot be written: their messages stay in the spool", "err", err)
			}
			w.delay(it, unkeptWait)
			continue
		}
		if w.outputs.unkept.Swap(false) {
			w.log.Info("dead letters are written again")
		}
		w.dead.Add(1)
		it.finish()
	}
}
