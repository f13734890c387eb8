package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

// DeadLetter is a message that a function will not take, with its exact bytes.
type DeadLetter struct {
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

	sent  spool.Seq // where it is in the spool once it is replayed
	again bool      // another replay was asked for while it was on the way
}

const reasonBytes = 300

// graveyard keeps dead letters, one file each.
type graveyard struct {
	dir    string
	max    int
	now    func() time.Time
	redact func(s string, n int) string
	news   func(context.Context, ...Message) (spool.Seq, error) // into the spool
	waits  func(function string, seq spool.Seq) bool            // the record is still to be delivered

	mu      sync.Mutex
	letters map[string]*DeadLetter // by file name, without payload
	dropped uint64
	untold  []*DeadLetter // gone, and the mirror may not know
	told    int64         // when the last news were written, unix nanoseconds
	wishes  map[Query]int // replays that functions asked for, and how often
	wake    chan struct{} // there are new ones
}

// goneExt marks the file of a letter that is gone until the news of that are in
// the spool: after a kill or on a full disk the mirror would show it for ever.
const goneExt = ".gone"

func openGraveyard(dir string, most int, now func() time.Time, redact func(string, int) string) (*graveyard, error) {
	g := &graveyard{dir: dir, max: most, now: now, redact: redact, letters: map[string]*DeadLetter{}, wishes: map[Query]int{}, wake: make(chan struct{}, 1),
		waits: func(string, spool.Seq) bool { return true }}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open the dead letters: %w", err)
	}
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".tmp": // cut off by a kill
			_ = os.Remove(filepath.Join(dir, e.Name()))
			continue
		case goneExt:
			if d, err := g.read(e.Name()); err == nil {
				d.Payload = nil
				g.untold = append(g.untold, d)
			}
			continue
		case ".json":
		default:
			continue
		}
		// A file that a power cut left half is no dead letter yet: the message
		// is still in the spool.
		if d, err := g.read(e.Name()); err == nil {
			d.Payload = nil
			g.letters[e.Name()] = d
		}
	}
	g.readWishes()
	return g, nil
}

func fileName(function, id string) string { return id + "." + function + ".json" }

func (g *graveyard) read(name string) (*DeadLetter, error) {
	b, err := os.ReadFile(filepath.Join(g.dir, filepath.Base(name)))
	if err != nil {
		return nil, err
	}
	d := &DeadLetter{}
	if err := json.Unmarshal(b, d); err != nil {
		return nil, err
	}
	return d, nil
}

// itself is the function of letters that are the connector's own refusal.
const itself = "connector"

// add keeps a message, or counts another refusal of one that is kept.
func (g *graveyard) add(function string, m *Message, reason string) error {
	return g.keep(&DeadLetter{Function: function, Size: len(m.Payload)}, m, reason)
}

// addCut keeps the beginning of a message of size bytes.
func (g *graveyard) addCut(m *Message, size int, reason string) error {
	return g.keep(&DeadLetter{Function: itself, Size: size, Cut: true}, m, reason)
}

func (g *graveyard) keep(d *DeadLetter, m *Message, reason string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now().UTC()
	d.ID, d.Topic, d.Arrival, d.QoS, d.Retained, d.First = m.ID(), m.Topic, m.Arrival, m.QoS, m.Retained, now
	name := fileName(d.Function, d.ID)
	old := g.letters[name]
	if old != nil {
		d.First, d.Count = old.First, old.Count
	} else if len(g.letters) >= g.max {
		g.dropOldest()
	}
	d.Reason, d.Last, d.Payload = g.redact(reason, reasonBytes), now, m.Payload
	d.Count++
	if err := writeDurably(filepath.Join(g.dir, name), d); err != nil {
		return err
	}
	_ = g.publish(d, false) // made up for at the next start
	d.Payload = nil
	g.letters[name] = d
	if old != nil && old.again {
		g.another(d, m)
	}
	return nil
}

// done removes the letter of a message that a replay got stored.
func (g *graveyard) done(function string, m *Message) {
	if !m.Replayed {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.remove(fileName(function, m.ID())) // left over, it is replayed again
}

// list returns the letters that match, oldest first, without payloads.
func (g *graveyard) list(q Query) []DeadLetter {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []DeadLetter
	for _, d := range g.letters {
		if q.matches(d) {
			out = append(out, *d)
		}
	}
	slices.SortFunc(out, func(a, b DeadLetter) int { return a.First.Compare(b.First) })
	return out
}

// drop removes the matching letters for good.
func (g *graveyard) drop(q Query) (int, error) {
	n := 0
	for _, d := range g.list(q) {
		g.mu.Lock()
		err := g.remove(fileName(d.Function, d.ID))
		g.mu.Unlock()
		if err != nil {
			return n, fmt.Errorf("drop %s: %w", d.ID, err)
		}
		n++
	}
	return n, nil
}

func (g *graveyard) remove(name string) error {
	d := g.letters[name]
	if d == nil {
		return nil
	}
	gone := filepath.Join(g.dir, name) + goneExt
	if err := os.Rename(filepath.Join(g.dir, name), gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(g.letters, name)
	if g.publish(d, true) == nil {
		_ = os.Remove(gone) // left over, it is told again
	}
	return nil
}

// dropOldest makes room under the declared cap, and counts.
func (g *graveyard) dropOldest() {
	var oldest string
	for name, d := range g.letters {
		if oldest == "" || d.First.Before(g.letters[oldest].First) {
			oldest = name
		}
	}
	if g.remove(oldest) == nil {
		g.dropped++
	}
}

// shown is d as a person may see it. The file keeps the exact bytes.
func (g *graveyard) shown(d DeadLetter) DeadLetter {
	d.Topic = g.redact(d.Topic, len(d.Topic)+1)
	if text := string(d.Payload); text != "" {
		d.Payload = []byte(g.redact(text, maxPayload))
	}
	return d
}

func (g *graveyard) counts() (letters int, dropped uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.letters), g.dropped
}
