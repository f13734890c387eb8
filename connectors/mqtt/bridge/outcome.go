package bridge

import (
	"time"

	"github.com/hearth-home/hearth/shared/wire"
)

// took is what follows when a function has stored messages.
func (w *worker) took(ms []*item, body []byte) {
	w.good.Store(time.Now().UnixNano())
	w.clear()
	w.stored.Add(uint64(len(ms)))
	for _, it := range ms {
		w.b.canary.arrived(&it.Message)
		w.b.dead.done(w.f.Name, &it.Message)
		it.finish()
	}
	if w.f.Reply != "" && w.f.Batch == 0 && len(body) > 0 {
		w.b.reply(w.f, &ms[0].Message, body)
	}
}

// clear ends a trouble, if there was one.
func (w *worker) clear() {
	if old := w.state.Swap(""); old != "" {
		w.log.Info("delivered again", "after", old)
	}
}

// told passes on up to where the function has everything of an edge node, and
// has dead letters tried again that it has come to understand. It comes before
// the messages are done with: after a kill they bring the answer again.
func (w *worker) told(a wire.Answer) {
	for node, p := range a.Stored {
		w.b.acks.set(node, p)
	}
	for _, pick := range a.Replay {
		if err := w.b.dead.wish(Query{Function: w.f.Name, Topic: pick.Topic}); err != nil {
			w.log.Error("a wish to try dead letters again would not outlive a restart", "topic", pick.Topic, "err", err)
		}
	}
}

// part deals with a 207: what is neither rejected nor asked for again is stored.
func (w *worker) part(ms []*item, a wire.Answer) {
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
		w.bury([]*item{it}, why[i])
	}
	w.told(a)
	w.took(good, nil)
}

func reasons(rs []wire.Refusal) map[string]string {
	m := make(map[string]string, len(rs))
	for _, r := range rs {
		m[r.ID] = r.Reason
	}
	return m
}

// bury makes dead letters of messages. Until they are on disk the messages are
// not done with.
func (w *worker) bury(ms []*item, reason string) {
	w.clear() // it answers
	for _, it := range ms {
		for wait := minWait; ; wait = min(wait*2, maxWait) {
			err := w.b.dead.add(w.f.Name, &it.Message, reason)
			if err == nil {
				break
			}
			w.log.Error("a dead letter cannot be written, trying again", "err", err)
			if !pause(w.b.life, wait) {
				return
			}
		}
		w.dead.Add(1)
		it.finish()
	}
}
