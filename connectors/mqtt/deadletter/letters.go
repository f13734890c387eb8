// Package deadletter keeps the messages that a function will not take: each with
// its exact bytes and the reason, until it is replayed and stored, or dropped.
//
// They are files in the connector's own folder, since the database may be the
// part that is down. News of them go through the spool to the function that
// mirrors them in the database. The package imports none of the connector's other
// rooms.
package deadletter

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

// Letter is a message that a function will not take.
type Letter struct {
	ID       string    `json:"id"` // the message's
	Function string    `json:"function"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason"` // of the last refusal
	First    time.Time `json:"first"`  // refused
	Last     time.Time `json:"last"`
	Count    int       `json:"count"`
	Arrival  int64     `json:"arrival"` // unix nanoseconds, kept by a replay
	QoS      byte      `json:"qos"`
	Retained bool      `json:"retained"`
	Size     int       `json:"size"`
	Cut      bool      `json:"cut,omitempty"` // the payload is only the beginning
	Payload  []byte    `json:"payload,omitempty"`

	bytes int64     // of its file, about
	sent  spool.Seq // where it is in the spool once it is replayed
	again bool      // another replay was requested while it was on the way
}

const reasonBytes = 300

// Options are what Letters work with.
type Options struct {
	Dir      string
	Max      int                                                                       // letters; beyond, the oldest are dropped
	MaxBytes int64                                                                     // of their files, about; the same
	Append   func(ctx context.Context, records ...[]byte) (first spool.Seq, err error) // to the spool
	Waits    func(function string, seq spool.Seq) bool                                 // reports whether a record of the spool is still to be delivered
	OnTheWay []message.Placed                                                          // letters that were replayed not long before the start, oldest first
	Now      func() time.Time
	Redact   func(s string, n int) string // takes the secrets out of s and then cuts it to n bytes
	Log      *slog.Logger
}

// Letters are the dead letters of a folder, one file each.
type Letters struct {
	o Options

	mu         sync.Mutex
	letters    map[string]*Letter // by file name, without payload
	bytes      int64              // of their files, about
	dropped    uint64             // at the caps
	unreported []*Letter          // gone, and the mirror may not know
	reported   int64              // arrival time of the last news
	pending    []pendingRequest   // oldest first
	wake       chan struct{}      // there is a new request
	retry      time.Duration      // before a request that failed is tried a second time; then longer
}

// goneExt marks the file of a letter that is gone until the news of that are in
// the spool: after a kill or on a full disk the mirror would show it for ever.
const goneExt = ".gone"

// Open reads the letters of a folder, which it makes where there is none.
func Open(o Options) (*Letters, error) {
	l := &Letters{o: o, letters: map[string]*Letter{}, wake: make(chan struct{}, 1), retry: retryWait}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	for _, e := range entries {
		l.load(e.Name())
	}
	l.readSent()
	for _, p := range o.OnTheWay {
		if d := l.letters[fileName(p.Function, p.ID)]; d != nil {
			d.sent = p.Seq
		}
	}
	l.readRequests()
	l.writeSent()
	return l, nil
}

// load takes in one file. One that a power cut left half is no dead letter yet:
// the message is still in the spool.
func (l *Letters) load(name string) {
	ext := filepath.Ext(name)
	if ext == ".tmp" { // cut off by a kill
		_ = os.Remove(filepath.Join(l.o.Dir, name))
	}
	if ext != letterExt && ext != goneExt {
		return
	}
	d, err := l.read(name)
	if err != nil {
		return
	}
	d.bytes = d.fileSize()
	d.Payload = nil
	if ext == goneExt {
		l.unreported = append(l.unreported, d)
	} else {
		l.letters[name] = d
		l.bytes += d.bytes
	}
}

const letterExt = ".json"

func fileName(function, id string) string { return id + "." + function + letterExt }

func (l *Letters) read(name string) (*Letter, error) {
	b, err := os.ReadFile(filepath.Join(l.o.Dir, filepath.Base(name)))
	if err != nil {
		return nil, err
	}
	d := &Letter{}
	if err := json.Unmarshal(b, d); err != nil {
		return nil, err
	}
	return d, nil
}

// connector is the function of letters that the connector itself refused.
const connector = "connector"

// Add keeps a message, or counts another refusal of one that is kept. On nil it
// is on the disk.
func (l *Letters) Add(function string, m *message.Message, reason string) error {
	return l.keep(&Letter{Function: function, Size: len(m.Payload)}, m, reason)
}

// AddCut keeps a message of size bytes of which m has only the beginning, as a
// refusal of the connector's own.
func (l *Letters) AddCut(m *message.Message, size int, reason string) error {
	return l.keep(&Letter{Function: connector, Size: size, Cut: true}, m, reason)
}

func (l *Letters) keep(d *Letter, m *message.Message, reason string) error {
	gone, err := l.keepOne(d, m, reason)
	l.reportGone(context.Background(), gone)
	return err
}

// keepOne is keep, but for the news of the letters that made room.
func (l *Letters) keepOne(d *Letter, m *message.Message, reason string) (gone []*Letter, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.o.Now().UTC()
	d.ID, d.Topic, d.Arrival, d.QoS, d.Retained, d.First = m.ID(), m.Topic, m.Arrival, m.QoS, m.Retained, now
	name := fileName(d.Function, d.ID)
	d.Reason, d.Last, d.Payload = l.o.Redact(reason, reasonBytes), now, m.Payload
	d.bytes = d.fileSize()
	old := l.letters[name]
	if old != nil {
		d.First, d.Count = old.First, old.Count
	} else {
		gone = l.dropOldest(d.bytes)
	}
	d.Count++
	if err := writeDurably(filepath.Join(l.o.Dir, name), d); err != nil {
		return gone, err
	}
	_ = l.report(d) // what cannot be reported now is reported at the next start
	d.Payload = nil
	l.letters[name] = d
	l.bytes += d.bytes
	if old != nil {
		l.bytes -= old.bytes
	}
	if old != nil && old.again {
		l.replayAgain(d, m)
	}
	return gone, nil
}

// Stored removes the letters of messages that a function stored, where they were some.
func (l *Letters) Stored(function string, ms ...*message.Message) {
	var gone []*Letter
	for _, m := range ms {
		if !m.Replayed {
			continue
		}
		if d, err := l.remove(fileName(function, m.ID())); d != nil && err == nil { // left over, it is replayed again
			gone = append(gone, d)
		}
	}
	l.reportGone(context.Background(), gone)
}

// List returns the letters that match, oldest first, without payloads.
func (l *Letters) List(q Query) []Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Letter
	for _, d := range l.letters {
		if q.matches(d) {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Letter) int { return a.First.Compare(b.First) })
	return out
}

// fileSize is about how many bytes the file of d takes.
func (d *Letter) fileSize() int64 {
	return int64(base64.StdEncoding.EncodedLen(len(d.Payload)) + len(d.Topic) + len(d.Reason) + 300)
}

// Stats is what is kept, and what was dropped since the start at the caps.
type Stats struct {
	Letters int
	Bytes   int64 // of their files, about
	Dropped uint64
}

// Stats returns what is kept.
func (l *Letters) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{len(l.letters), l.bytes, l.dropped}
}

// Run reports the letters to the mirror and carries out requests until ctx ends.
func (l *Letters) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { l.reportAll(ctx) })
	wg.Go(func() { l.carryOut(ctx) })
	wg.Wait()
}
