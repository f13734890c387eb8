package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hearth-home/hearth/shared/spool"
)

const (
	replayCount = 256       // letters that are put into the spool at once
	replayBytes = 256 << 10 // of them, about
	wishFile    = "wishes"
	maxWishes   = 1000
	maxWishWait = time.Minute
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

// replay puts the matching letters back into the spool for their function. They
// are removed once stored. One that is on the way is not put there twice.
func (g *graveyard) replay(ctx context.Context, q Query) (done Replay, err error) {
	for letters := g.list(q); len(letters) > 0 && err == nil; {
		letters, err = g.offer(ctx, letters, &done)
	}
	if err != nil {
		return done, fmt.Errorf("replay: %w", err)
	}
	return done, nil
}

// offer puts as many letters into the spool as are written at once, and returns
// the others.
func (g *graveyard) offer(ctx context.Context, letters []DeadLetter, done *Replay) (rest []DeadLetter, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var ms []Message
	var offered []*DeadLetter
	for size := 0; len(letters) > 0 && len(ms) < replayCount && size < replayBytes; letters = letters[1:] {
		name := fileName(letters[0].Function, letters[0].ID)
		d := g.letters[name]
		if d == nil {
			continue // gone by now
		}
		if d.Cut {
			done.Cut++
			continue
		}
		if d.sent > 0 && g.waits(d.Function, d.sent) {
			d.again = true // the function may have it in its hands, and what made it fit came later
			done.OnTheWay++
			continue
		}
		whole, err := g.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.ID, err)
		}
		ms = append(ms, Message{Arrival: whole.Arrival, Topic: whole.Topic, Payload: whole.Payload, QoS: whole.QoS, Retained: whole.Retained, Replayed: true, Only: whole.Function})
		offered = append(offered, d)
		size += len(whole.Payload)
	}
	if len(ms) == 0 {
		return letters, nil
	}
	first, err := g.news(ctx, ms...)
	if err != nil {
		return nil, err
	}
	for i, d := range offered {
		d.sent = first + spool.Seq(i)
	}
	done.Replayed += len(offered)
	return letters, nil
}

// another puts a letter that came back into the spool at once. With g.mu.
func (g *graveyard) another(d *DeadLetter, m *Message) {
	next := *m
	next.Replayed, next.Only = true, d.Function
	ctx, cancel := context.WithTimeout(context.Background(), newsWait)
	defer cancel()
	if seq, err := g.news(ctx, next); err == nil { // else it is a letter like the others
		d.sent = seq
	}
}

// sent tells of letters that were on the way when the connector ended.
func (g *graveyard) sent(at map[string]spool.Seq) {
	for name, seq := range at {
		if d := g.letters[name]; d != nil {
			d.sent = seq
		}
	}
}

// wish asks for a replay. It outlives a restart, and is tried until every letter
// is on the way. Without a letter that matches there is nothing to ask for.
func (g *graveyard) wish(q Query) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.holds(q) {
		return nil
	}
	if _, known := g.wishes[q]; !known && len(g.wishes) >= maxWishes {
		q = Query{Function: q.Function}
	}
	g.wishes[q]++
	select {
	case g.wake <- struct{}{}:
	default:
	}
	if g.wishes[q] > 1 {
		return nil // written before
	}
	return g.writeWishes()
}

func (g *graveyard) holds(q Query) bool {
	for _, d := range g.letters {
		if q.matches(d) {
			return true
		}
	}
	return false
}

// grant fulfils wishes until ctx ends.
func (g *graveyard) grant(ctx context.Context, log *slog.Logger) {
	for wait := fullWait; ; {
		failed := false
		for q, n := range g.wanted() {
			done, err := g.replay(ctx, q)
			if err == nil {
				err = g.granted(q, n)
			}
			failed = failed || err != nil
			if ctx.Err() == nil && (done.Replayed > 0 || err != nil) {
				log.Info("dead letters are tried again", "function", q.Function, "topic", q.Topic, "letters", done.Replayed, "err", err)
			}
		}
		if !failed {
			wait = fullWait
			select {
			case <-g.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, maxWishWait)
	}
}

func (g *graveyard) wanted() map[Query]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.wishes)
}

// granted strikes a wish off, unless it was made again meanwhile.
func (g *graveyard) granted(q Query, n int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wishes[q] != n {
		return nil // there is a wake
	}
	delete(g.wishes, q)
	return g.writeWishes()
}

func (g *graveyard) writeWishes() error {
	return writeDurably(filepath.Join(g.dir, wishFile), slices.Collect(maps.Keys(g.wishes)))
}

// readWishes takes up what was not granted before the connector ended. A damaged
// file is no reason not to start.
func (g *graveyard) readWishes() {
	var qs []Query
	b, err := os.ReadFile(filepath.Join(g.dir, wishFile))
	if err != nil || json.Unmarshal(b, &qs) != nil {
		return
	}
	for _, q := range qs {
		g.wishes[q] = 1
	}
}
