package deliver

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/semaphore"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	feedCount = 512
	feedBytes = 1 << 20
	groupTime = 265 * time.Millisecond // between two reads of a few messages, by load
	laneBytes = 4 << 20                // of messages read and not yet done with
)

// item is a message on its way to one function.
type item struct {
	message.Message
	seq   spool.Seq
	lane  *lane
	bytes int64
	due   time.Time // of its next try, where it was put aside
	asks  int       // how often a 207 asked for it again
	fails int       // how often it failed alone
	since time.Time // of its first failure
}

// lane reads the spool for one function, in order, from one record to another.
type lane struct {
	name   string
	reader *spool.Reader
	until  atomic.Uint64 // the first record that is not its own; 0: it has no end
	out    atomic.Pointer[[]chan *item]
	window window
	mu     sync.Mutex
	read   spool.Seq           // the last record of its own that was read
	memory *semaphore.Weighted // laneBytes, of messages read and not yet done with
}

func openLane(l *spool.Log, function string, start spool.Seq, out []chan *item) (*lane, error) {
	name := message.LaneName(function, start)
	r, err := l.ReaderAt(name, start)
	if err != nil {
		return nil, err
	}
	la := &lane{name: name, reader: r, memory: semaphore.NewWeighted(laneBytes)}
	la.out.Store(&out)
	return la, nil
}

// feed reads until the lane ends, or ctx does. By load, it leaves what comes soon
// after a message for the next read: alone, a message is read at once, and the more
// there are, the more go together. match reports whether the function wants a
// message.
func (la *lane) feed(ctx context.Context, byLoad bool, match func(*message.Message) bool, log *slog.Logger) {
	for {
		recs, err := la.reader.Next(ctx, feedCount, feedBytes)
		if ctx.Err() != nil || errors.Is(err, spool.ErrClosed) {
			return
		}
		if err != nil {
			log.Error("read the spool", "lane", la.name, "err", err)
			if !pause(ctx, time.Second) {
				return
			}
			continue
		}
		bytes := 0
		for _, r := range recs {
			bytes += len(r.Data)
			end, more := la.enter(r.Seq)
			if !more {
				la.window.reach(end) // also where it had nothing left to read
				la.commit()
				return
			}
			if !la.offer(ctx, r, match) {
				return
			}
		}
		la.commit()
		if few := len(recs) < feedCount && bytes < feedBytes/2; few && byLoad && !pause(ctx, groupTime) {
			return
		}
	}
}

// enter takes a record into the lane, or returns where the lane ended before it.
func (la *lane) enter(seq spool.Seq) (end spool.Seq, ok bool) {
	la.mu.Lock()
	defer la.mu.Unlock()
	if end = spool.Seq(la.until.Load()); end > 0 && seq >= end {
		return end, false
	}
	la.read = seq
	return 0, true
}

// end ends the lane after what it has read and what is in the spool, and returns
// where the next one begins. Called again, it returns the same.
func (la *lane) end(next spool.Seq) spool.Seq {
	la.mu.Lock()
	defer la.mu.Unlock()
	if la.until.Load() == 0 {
		la.until.Store(uint64(max(next, la.read+1)))
	}
	return spool.Seq(la.until.Load())
}

// offer hands a record to the worker of its topic, and waits while too much of the
// lane is in memory.
func (la *lane) offer(ctx context.Context, r spool.Record, match func(*message.Message) bool) bool {
	m, err := message.Decode(r.Data)
	if err != nil || !match(&m) {
		la.window.add(r.Seq, true) // a record that cannot be decoded was counted by the spool
		return true
	}
	it := &item{Message: m, seq: r.Seq, lane: la, bytes: min(int64(len(m.Payload)+len(m.Topic)+200), laneBytes)}
	if la.memory.Acquire(ctx, it.bytes) != nil {
		return false
	}
	la.window.add(r.Seq, false)
	out := *la.out.Load()
	select {
	case out[xxhash.Sum64String(partitionKey(m.Topic))%uint64(len(out))] <- it:
		return true
	case <-ctx.Done():
		return false
	}
}

// partitionKey decides which worker gets a topic: one worker has all of a topic,
// and all of an edge node, whose numbered readings should arrive in order.
func partitionKey(topic string) string {
	rest, edge := strings.CutPrefix(topic, wire.Prefix)
	if i := strings.IndexByte(rest, '/'); edge && i >= 0 {
		return rest[:i]
	}
	return topic
}

// finish marks a message as done: it is stored, or is a dead letter.
func (it *item) finish() {
	la := it.lane
	la.memory.Release(it.bytes)
	if low, moved := la.window.finish(it.seq); moved {
		la.reader.Commit(low)
	}
}

func (la *lane) commit() {
	if low, any := la.window.low(); any {
		la.reader.Commit(low)
	}
}

// left returns how many records of the lane are not done, the arrival of the
// oldest, and how many the spool dropped before they were read.
func (la *lane) left() (records uint64, oldest time.Time, lost uint64) {
	lag := la.reader.Lag()
	records = lag.Records
	if end := la.until.Load(); end > 0 {
		low, _ := la.window.low()
		records = min(records, end-min(end, uint64(low)+1))
	}
	return records, lag.Oldest, lag.Lost
}

// over reports whether the lane has an end and everything before it is done.
func (la *lane) over() bool {
	low, _ := la.window.low()
	end := la.until.Load()
	return end > 0 && uint64(low)+1 >= end && la.window.idle()
}
