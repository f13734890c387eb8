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
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	feedCount     = 512 // records of one read of the spool, at most
	feedBytes     = 1 << 20
	groupInterval = 265 * time.Millisecond // with Options.ByLoad, between two reads that bring only a few messages
	maxLaneBytes  = 4 << 20                // of the messages that are read and not yet done
)

// item is a message in flight to one function.
type item struct {
	message.Message
	seq     spool.Seq
	lane    *lane
	bytes   int64     // of lane.memory
	due     time.Time // when a delayed message is sent again
	retries int       // how often a 207 asked to retry it
	fails   int       // how often it failed alone
	since   time.Time // when it first failed
}

// lane reads a part of the spool for one function, in order. It has a cursor of its
// own there.
type lane struct {
	name     string
	reader   *spool.Reader
	until    atomic.Uint64                // the first record behind the lane; 0: it has no end
	out      atomic.Pointer[[]chan *item] // by worker
	window   window
	mu       sync.Mutex
	lastRead spool.Seq           // the last record of the lane that was read
	memory   *semaphore.Weighted // maxLaneBytes, of the messages that are read and not yet done
}

// openLane opens the lane of a function that begins at start; if the spool does not
// know it, it makes one.
func openLane(l *spool.Log, function string, start spool.Seq, out []chan *item) (*lane, error) {
	name := message.LaneName(function, start)
	r, err := l.ReaderAt(name, start)
	if err != nil {
		return nil, err
	}
	la := &lane{name: name, reader: r, memory: semaphore.NewWeighted(maxLaneBytes)}
	la.out.Store(&out)
	return la, nil
}

// feed reads the lane and hands its messages to the workers, until the lane or ctx
// ends. match reports whether a message is for the function. With byLoad, it waits
// for groupInterval after a read that brought only a few messages. A message that
// comes alone is still read at once, and the more messages come, the more are read
// together.
func (la *lane) feed(ctx context.Context, byLoad bool, match func(*message.Message) bool, log *slog.Logger) {
	for {
		if !la.waitForRoom(ctx) {
			return
		}
		recs, err := la.reader.Next(ctx, feedCount, feedBytes)
		if ctx.Err() != nil || errors.Is(err, spool.ErrClosed) {
			return
		}
		if err != nil {
			log.Error("read the spool", "lane", la.name, "err", err)
			if !pause.For(ctx, time.Second) {
				return
			}
			continue
		}
		bytes := 0
		for _, r := range recs {
			bytes += len(r.Data)
			end, more := la.enter(r.Seq)
			if !more {
				la.window.skipTo(end) // needed if the lane ended without a record to read
				la.commit()
				return
			}
			if !la.offer(ctx, r, match) {
				return
			}
		}
		la.commit()
		if few := len(recs) < feedCount && bytes < feedBytes/2; few && byLoad && !pause.For(ctx, groupInterval) {
			return
		}
	}
}

// waitForRoom waits until the lane may hold the bytes of one read. A message that is larger
// than that, of which each function would have another one in memory, is then not read
// while the one before it is in flight. It returns false when ctx ends.
func (la *lane) waitForRoom(ctx context.Context) bool {
	if la.memory.Acquire(ctx, feedBytes) != nil {
		return false
	}
	la.memory.Release(feedBytes)
	return true
}

// enter notes that a record is read and returns true. If the record is behind the
// lane's end, it returns that end and false.
func (la *lane) enter(seq spool.Seq) (end spool.Seq, ok bool) {
	la.mu.Lock()
	defer la.mu.Unlock()
	if end = spool.Seq(la.until.Load()); end > 0 && seq >= end {
		return end, false
	}
	la.lastRead = seq
	return 0, true
}

// end ends the lane at next, or behind the last record that it has read if that is
// later. It returns where the next lane begins. A second call changes nothing and
// returns the same.
func (la *lane) end(next spool.Seq) spool.Seq {
	la.mu.Lock()
	defer la.mu.Unlock()
	if la.until.Load() == 0 {
		la.until.Store(uint64(max(next, la.lastRead+1)))
	}
	return spool.Seq(la.until.Load())
}

// offer hands a record to the worker of its topic, and waits while maxLaneBytes of
// the lane are in memory. It returns false when ctx ends.
func (la *lane) offer(ctx context.Context, r spool.Record, match func(*message.Message) bool) bool {
	m, err := message.Decode(r.Data)
	if err != nil || !match(&m) {
		la.window.add(r.Seq, true) // a record that cannot be decoded was counted by the spool
		return true
	}
	it := &item{Message: m, seq: r.Seq, lane: la, bytes: min(int64(len(m.Payload)+len(m.Topic)+200), maxLaneBytes)}
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

// partitionKey decides which worker gets a topic. All messages of a topic have the
// same key, and so have all of an edge node, whose readings are numbered across its
// devices and should arrive in that order.
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

// commit moves the lane's cursor to the watermark.
func (la *lane) commit() {
	if low, any := la.window.watermark(); any {
		la.reader.Commit(low)
	}
}

// pending returns how many records of the lane are not done, the arrival of the
// oldest, and how many the spool dropped before they were read.
func (la *lane) pending() (records uint64, oldest time.Time, lost uint64) {
	lag := la.reader.Lag()
	records = lag.Records
	if end := la.until.Load(); end > 0 {
		low, _ := la.window.watermark()
		records = min(records, end-min(end, uint64(low)+1))
	}
	return records, lag.Oldest, lag.Lost
}

// finished reports whether the lane has an end and all records before it are done.
func (la *lane) finished() bool {
	low, _ := la.window.watermark()
	end := la.until.Load()
	return end > 0 && uint64(low)+1 >= end && la.window.idle()
}
