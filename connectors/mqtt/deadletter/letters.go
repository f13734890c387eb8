// Package deadletter keeps the messages that a function has rejected. It keeps the
// exact bytes and the reason, until the message is replayed and stored, or dropped.
//
// A dead letter is a file in the connector's own folder, since the database may be
// the part that is down. The function `sensors` keeps a mirror of the dead letters in
// the database. For that, the package appends a notice of each change to the spool.
// Of the connector's packages it imports only message.
package deadletter

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

// Letter is a dead letter: a message that a function has rejected.
type Letter struct {
	ID       string    `json:"id"` // of the message
	Function string    `json:"function"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason"`  // of the last refusal
	First    time.Time `json:"first"`   // time of the first refusal
	Last     time.Time `json:"last"`    // time of the last refusal
	Count    int       `json:"count"`   // refusals
	Arrival  int64     `json:"arrival"` // of the message, unix nanoseconds; a replay keeps it
	QoS      byte      `json:"qos"`
	Retained bool      `json:"retained"`
	Size     int       `json:"size"`          // of the message's payload, bytes
	Cut      bool      `json:"cut,omitempty"` // Payload is only the beginning of the message's payload
	Payload  []byte    `json:"payload,omitempty"`

	bytes       int64     // approximate size of its file
	spoolSeq    spool.Seq // its record in the spool after a replay; 0: not replayed yet
	replayAgain bool      // another replay was requested while the last one was in flight
}

const reasonBytes = 300 // of a reason that is kept

// Options configures Letters.
type Options struct {
	Dir       string
	Max       int                                                                       // cap of the number of letters; the oldest are dropped
	MaxBytes  int64                                                                     // cap of the size of their files, approximately; the oldest are dropped
	Room      func() int64                                                              // bytes of the disk that letters may take beside those they have; negative if they have too many
	Append    func(ctx context.Context, records ...[]byte) (first spool.Seq, err error) // to the spool, durably
	Pending   func(function string, seq spool.Seq) bool                                 // reports whether a record of the spool is not yet delivered to the function
	Replayed  []message.ReplayRecord                                                    // letters that were replayed before the start, oldest first
	Now       func() time.Time
	Redact    func(s string, n int) string // removes the secrets from s and then cuts it to n bytes
	RedactCut func(s string) string        // the same for the kept beginning of a payload, which may end within a secret; nil: Redact
	Log       *slog.Logger
}

// Letters is the dead letters of a folder, one file each. Its methods are safe for
// concurrent use.
type Letters struct {
	o Options

	mu         sync.Mutex
	letters    map[string]*Letter   // by file name, without payload
	bytes      int64                // of their files, approximately
	dropped    uint64               // letters, at the caps
	unkept     uint64               // letters that could not be written
	logged     map[string]time.Time // when letters were last dropped and that was logged, by cause
	watches    []*watch             // of replays
	unreported []*Letter            // removed letters that the mirror may still have
	lastNotice int64                // arrival time of the last notice
	pending    []pendingRequest     // oldest first
	wake       chan struct{}        // there is a new request
	retry      time.Duration        // wait before the second attempt of a request; it doubles after that
}

// goneExt is added to the file name of a removed letter, until the notice of the
// removal is in the spool. Without that file, a kill or a full disk could leave the
// letter in the mirror for ever.
const goneExt = ".gone"

// Open reads the letters of a folder. It creates the folder if there is none. It
// ignores files that it cannot read. If ctx ends first, it returns ctx's error: many
// letters take a while.
func Open(ctx context.Context, o Options) (*Letters, error) {
	l := &Letters{o: o, letters: map[string]*Letter{}, logged: map[string]time.Time{}, wake: make(chan struct{}, 1), retry: retryWait}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	var unreadable []string
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !l.load(e.Name()) {
			unreadable = append(unreadable, e.Name())
		}
	}
	if n := len(unreadable); n > 0 {
		o.Log.Warn("files in the folder of the dead letters cannot be read and are left out", "files", n, "first", unreadable[0], "folder", o.Dir)
	}
	l.readSent()
	for _, p := range o.Replayed {
		if d := l.letters[fileName(p.Function, p.ID)]; d != nil {
			d.spoolSeq = p.Seq
		}
	}
	l.readRequests()
	l.dropToCaps()
	l.writeSent()
	return l, nil
}

// load reads one file. It ignores a file that is incomplete after a power cut: its
// message is still in the spool. It returns false if the file should be a letter and is
// none, since it is damaged.
func (l *Letters) load(name string) (ok bool) {
	ext := filepath.Ext(name)
	if ext == ".tmp" { // left by a kill
		_ = os.Remove(filepath.Join(l.o.Dir, name))
	}
	if ext != letterExt && ext != goneExt {
		return true
	}
	d, err := l.read(name)
	if err != nil || fileName(d.Function, d.ID) != strings.TrimSuffix(name, goneExt) {
		return false
	}
	d.bytes = d.fileSize()
	d.Payload = nil
	if ext == goneExt {
		l.unreported = append(l.unreported, d)
	} else {
		l.letters[name] = d
		l.bytes += d.bytes
	}
	return true
}

const letterExt = ".json"

// fileName is the name of a letter's file, and its key in Letters.letters.
func fileName(function, id string) string { return id + "." + function + letterExt }

// read reads the file of a letter, with its payload. Behind a removed letter, a part of
// its payload may be left (see shrink).
func (l *Letters) read(name string) (*Letter, error) {
	b, err := os.ReadFile(filepath.Join(l.o.Dir, filepath.Base(name)))
	if err != nil {
		return nil, err
	}
	d, value := &Letter{}, json.NewDecoder(bytes.NewReader(b))
	if err := value.Decode(d); err != nil {
		return nil, err
	}
	if filepath.Ext(name) != goneExt && value.More() {
		return nil, errors.New("a part of a removed letter is left")
	}
	return d, nil
}

// connector is the function of letters that the connector itself has rejected.
const connector = "connector"

// Add adds a message that the function has rejected. If it is a dead letter already,
// Add counts another refusal. When Add returns nil, the letter is on the disk.
func (l *Letters) Add(function string, m *message.Message, reason string) error {
	return l.addAndReport(&Letter{Function: function, Size: len(m.Payload)}, m, reason)
}

// AddCut adds a message that the connector itself rejects because its payload of size
// bytes is too large. m has only the beginning of the payload.
func (l *Letters) AddCut(m *message.Message, size int, reason string) error {
	return l.addAndReport(&Letter{Function: connector, Size: size, Cut: true}, m, reason)
}

// addAndReport fills in d from m, and adds it. It appends the notices to the spool.
func (l *Letters) addAndReport(d *Letter, m *message.Message, reason string) error {
	gone, err := l.add(d, m, reason)
	l.reportGone(context.Background(), gone)
	return err
}

// add is addAndReport without the notices of gone: the letters that it dropped at a
// cap.
func (l *Letters) add(d *Letter, m *message.Message, reason string) (gone []*Letter, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.o.Now().UTC()
	d.ID, d.Topic, d.Arrival, d.QoS, d.Retained, d.First = m.ID(), m.Topic, m.Arrival, m.QoS, m.Retained, now
	name := fileName(d.Function, d.ID)
	d.Reason, d.Last, d.Payload = l.o.Redact(plain(reason), reasonBytes), now, m.Payload
	d.bytes = d.fileSize()
	old := l.letters[name]
	if old != nil {
		d.First, d.Count = old.First, old.Count
	}
	d.Count++
	if gone, err = l.writeLetter(filepath.Join(l.o.Dir, name), d, old); err != nil {
		l.unkept++
		return gone, err
	}
	_ = l.report(d) // after a failure, the next start reports it
	d.Payload = nil
	l.letters[name] = d
	l.bytes += d.bytes
	if old != nil {
		l.bytes -= old.bytes
	}
	if old == nil || !old.replayAgain || !l.replayNow(d, m) {
		l.settle(name, d, d.Reason)
	}
	return gone, nil
}

// plain returns a reason as the mirror keeps it, so that both are the same text: without
// what is not UTF-8, and without NUL, spaces and line breaks at its ends.
func plain(reason string) string {
	reason = strings.ReplaceAll(strings.ToValidUTF8(reason, "\ufffd"), "\x00", "")
	return cmp.Or(strings.TrimSpace(reason), "no reason given")
}

// Stored is called with the messages that a function has stored. It removes the dead
// letters of those that were replayed.
func (l *Letters) Stored(function string, ms ...*message.Message) {
	var gone []*Letter
	for _, m := range ms {
		if !m.Replayed {
			continue
		}
		name := fileName(function, m.ID())
		l.mu.Lock()
		if d, err := l.removeLocked(name); d != nil && err == nil { // a letter that cannot be removed can be replayed again
			gone = append(gone, d)
			l.settle(name, d, "")
		}
		l.mu.Unlock()
	}
	l.reportGone(context.Background(), gone)
}

// List returns the letters that match, oldest first, without payloads.
func (l *Letters) List(q Query) []Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []Letter{} // not null in JSON
	for _, d := range l.letters {
		if q.matches(d) {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b Letter) int { return a.First.Compare(b.First) })
	return out
}

// fileSize is the approximate number of bytes that the file of d takes from the disk.
func (d *Letter) fileSize() int64 {
	n := int64(base64.StdEncoding.EncodedLen(len(d.Payload)) + len(d.Topic) + len(d.Reason) + 300)
	return (n + blockBytes - 1) / blockBytes * blockBytes
}

const blockBytes = 4 << 10 // a disk gives room in units of this, usually

// Stats are counts of dead letters.
type Stats struct {
	Letters int
	Bytes   int64  // of their files, approximately
	Dropped uint64 // letters, at the caps or for the spool's room, since the start
	Unkept  uint64 // how often a letter could not be written since the start
}

// Stats returns the counts.
func (l *Letters) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{len(l.letters), l.bytes, l.dropped, l.unkept}
}

// Run appends a notice of each letter to the spool once, and carries out requests
// until ctx ends.
func (l *Letters) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { l.reportAll(ctx) })
	wg.Go(func() { l.carryOut(ctx) })
	wg.Wait()
}
