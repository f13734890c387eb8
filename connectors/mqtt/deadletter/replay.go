package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	sentFile    = "sent"
	replayCount = 256       // letters that are put into the spool at once
	replayBytes = 256 << 10 // of them, about
)

// Replay is what became of letters that were to be replayed.
type Replay struct {
	Replayed int `json:"replayed"`
	OnTheWay int `json:"on_the_way,omitempty"` // replayed before; what the function refuses of them comes once more
	Cut      int `json:"cut,omitempty"`        // not replayed: only their beginning is kept
}

// refused is why nothing was replayed, "" where something was.
func (r Replay) refused() string {
	if r.Cut == 0 || r.Replayed+r.OnTheWay > 0 {
		return ""
	}
	return "larger than the connector takes: only the beginning is kept, and that would be another message"
}

// Replay puts the matching letters back into the spool for their function. They
// are removed once they are stored. One that is on the way is not put there twice.
func (l *Letters) Replay(ctx context.Context, q Query) (done Replay, err error) {
	for letters := l.List(q); len(letters) > 0 && err == nil; {
		letters, err = l.replaySome(ctx, letters, q.Before.IsZero(), &done)
	}
	if done.Replayed > 0 {
		l.mu.Lock()
		l.writeSent()
		l.mu.Unlock()
	}
	if err != nil {
		return done, fmt.Errorf("replay: %w", err)
	}
	return done, nil
}

// writeSent remembers over a restart which letters are in the spool, and where: one
// that is not yet delivered must not be put there twice. With l.mu.
func (l *Letters) writeSent() {
	sent := map[string]spool.Seq{}
	for name, d := range l.letters {
		if d.sent > 0 {
			sent[name] = d.sent
		}
	}
	_ = writeDurably(filepath.Join(l.o.Dir, sentFile), sent) // a full disk keeps no one from a replay
}

// readSent is for Open. A damaged file is no reason not to start.
func (l *Letters) readSent() {
	var sent map[string]spool.Seq
	b, err := os.ReadFile(filepath.Join(l.o.Dir, sentFile))
	if err != nil || json.Unmarshal(b, &sent) != nil {
		return
	}
	for name, seq := range sent {
		if d := l.letters[name]; d != nil {
			d.sent = seq
		}
	}
}

// replaySome puts as many letters into the spool as are written at once, and
// returns the others. With again, one that is on the way comes once more if it is
// refused.
func (l *Letters) replaySome(ctx context.Context, letters []Letter, again bool, done *Replay) (rest []Letter, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ms []message.Message
	var put []*Letter
	for size := 0; len(letters) > 0 && len(ms) < replayCount && size < replayBytes; letters = letters[1:] {
		name := fileName(letters[0].Function, letters[0].ID)
		d := l.letters[name]
		if d == nil || !l.replayable(d, again, done) {
			continue
		}
		whole, err := l.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.ID, err)
		}
		ms = append(ms, message.Message{Arrival: whole.Arrival, Topic: whole.Topic, Payload: whole.Payload, QoS: whole.QoS, Retained: whole.Retained, Replayed: true, Only: whole.Function})
		put = append(put, d)
		size += len(whole.Payload)
	}
	if len(ms) == 0 {
		return letters, nil
	}
	first, err := l.put(ctx, ms)
	if err != nil {
		return nil, err
	}
	for i, d := range put {
		d.sent = first + spool.Seq(i)
	}
	done.Replayed += len(put)
	return letters, nil
}

// replayable reports whether a letter can go into the spool now, and counts one
// that cannot. With l.mu.
func (l *Letters) replayable(d *Letter, again bool, done *Replay) bool {
	switch {
	case d.Cut:
		done.Cut++
		return false
	case d.sent > 0 && l.o.Waits(d.Function, d.sent):
		d.again = d.again || again // the function may be refusing it at this moment, and what mends it came after
		done.OnTheWay++
		return false
	}
	return true
}

// replayAgain puts a letter that was refused once more into the spool at once.
// With l.mu.
func (l *Letters) replayAgain(d *Letter, m *message.Message) {
	next := *m
	next.Replayed, next.Only = true, d.Function
	ctx, cancel := context.WithTimeout(context.Background(), newsWait)
	defer cancel()
	if seq, err := l.put(ctx, []message.Message{next}); err == nil { // else it is a letter like the others
		d.sent = seq
	}
}
