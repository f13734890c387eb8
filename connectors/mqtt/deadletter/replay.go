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
	sentFile    = "sent"    // file of spool.Seq by letter
	replayCount = 256       // letters of one write to the spool, at most
	replayBytes = 256 << 10 // of their payloads, approximately
)

// Replay counts the letters of a request to replay, by what became of them.
type Replay struct {
	Replayed int `json:"replayed"`
	OnTheWay int `json:"on_the_way,omitempty"` // in flight from an earlier replay; those that the function rejects are replayed once more
	Cut      int `json:"cut,omitempty"`        // not replayed: only the beginning is kept
}

// refused returns why no letter was replayed, or "" if one was or none matched.
func (r Replay) refused() string {
	if r.Cut == 0 || r.Replayed+r.OnTheWay > 0 {
		return ""
	}
	return "the message was larger than the connector takes: only the beginning is kept, which cannot be replayed"
}

// Replay appends the matching letters to the spool again, for their function only. A
// letter is removed once the function has stored it. A letter that is still in flight
// from an earlier replay is not appended again. q must have a filter or All.
func (l *Letters) Replay(ctx context.Context, q Query) (done Replay, err error) {
	return l.replay(ctx, q, nil)
}

// replay is Replay, for which w, unless it is nil, is to note the outcomes.
func (l *Letters) replay(ctx context.Context, q Query, w *watch) (done Replay, err error) {
	if err := q.checkPicks(); err != nil {
		return done, err
	}
	for letters := l.List(q); len(letters) > 0 && err == nil; {
		letters, err = l.replayBatch(ctx, letters, q.Before.IsZero(), &done, w)
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

// writeSent writes the spool records of replayed letters to a file. After a restart,
// they tell which letters are still in flight. The caller holds l.mu.
func (l *Letters) writeSent() {
	sent := map[string]spool.Seq{}
	for name, d := range l.letters {
		if d.spoolSeq > 0 {
			sent[name] = d.spoolSeq
		}
	}
	_ = writeDurably(filepath.Join(l.o.Dir, sentFile), sent) // a replay works without the file
}

// readSent reads the file that writeSent wrote. It ignores a damaged file.
func (l *Letters) readSent() {
	var sent map[string]spool.Seq
	b, err := os.ReadFile(filepath.Join(l.o.Dir, sentFile))
	if err != nil || json.Unmarshal(b, &sent) != nil {
		return
	}
	for name, seq := range sent {
		if d := l.letters[name]; d != nil {
			d.spoolSeq = seq
		}
	}
}

// replayBatch appends the first letters to the spool, as many as fit into one write,
// and returns the others. With repeat, a letter that is still in flight is replayed
// once more if the function rejects it.
func (l *Letters) replayBatch(ctx context.Context, letters []Letter, repeat bool, done *Replay, w *watch) (rest []Letter, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ms []message.Message
	var sent []*Letter
	for size := 0; len(letters) > 0 && len(ms) < replayCount && size < replayBytes; letters = letters[1:] {
		name := fileName(letters[0].Function, letters[0].ID)
		d := l.letters[name]
		if d == nil || !l.replayable(d, repeat, done, w) {
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
		sent = append(sent, d)
		size += len(whole.Payload)
	}
	if len(ms) == 0 {
		return letters, nil
	}
	first, err := l.put(ctx, ms)
	if err != nil {
		return nil, err
	}
	for i, d := range sent {
		d.spoolSeq = first + spool.Seq(i)
		w.add(d)
	}
	done.Replayed += len(sent)
	return letters, nil
}

// replayable reports whether a letter can be replayed now, and counts one that cannot.
// The caller holds l.mu.
func (l *Letters) replayable(d *Letter, repeat bool, done *Replay, w *watch) bool {
	switch {
	case d.Cut:
		done.Cut++
		return false
	case d.spoolSeq > 0 && l.o.Pending(d.Function, d.spoolSeq):
		d.replayAgain = d.replayAgain || repeat // the function may be rejecting it now, just before the change that lets it store the message
		done.OnTheWay++
		w.add(d)
		return false
	}
	return true
}

// replayNow appends a letter that was just rejected to the spool again, and reports
// whether it could. The caller holds l.mu.
func (l *Letters) replayNow(d *Letter, m *message.Message) bool {
	next := *m
	next.Replayed, next.Only = true, d.Function
	ctx, cancel := context.WithTimeout(context.Background(), appendTimeout)
	defer cancel()
	seq, err := l.put(ctx, []message.Message{next})
	if err != nil {
		return false // the letter stays and can be replayed by another request
	}
	d.spoolSeq = seq
	return true
}
