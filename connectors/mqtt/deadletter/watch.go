package deadletter

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// MaxWait is how long a replay waits at most for what becomes of its letters.
const MaxWait = 30 * time.Second

const maxRefused = 20 // different refusals that are told

// Refused counts the replayed letters that a function rejected again for one reason.
type Refused struct {
	Function string `json:"function"`
	Reason   string `json:"reason"`
	Letters  int    `json:"letters"`
}

// Outcome is what became of a replay's letters within the time that it was waited for.
type Outcome struct {
	Replay
	Stored  int       `json:"stored,omitempty"`
	Refused []Refused `json:"refused,omitempty"` // again
	Waiting int       `json:"waiting,omitempty"` // without an answer of their function yet
}

// watch notes what becomes of the letters of a replay. Letters.mu guards it.
type watch struct {
	open    map[string]bool // letters without an outcome, by file name
	stored  int
	refused map[Refused]int
	more    int // letters with refusals beyond maxRefused
	done    chan struct{}
	sent    bool // all letters are in the spool
}

// replayAndWait is Replay. It then waits up to wait for what becomes of the letters.
// Without a wait, the outcome has only the Replay.
func (l *Letters) replayAndWait(ctx context.Context, q Query, wait time.Duration) (out Outcome, err error) {
	if wait <= 0 {
		out.Replay, err = l.Replay(ctx, q)
		return out, err
	}
	w := &watch{open: map[string]bool{}, refused: map[Refused]int{}, done: make(chan struct{})}
	l.mu.Lock()
	l.watches = append(l.watches, w)
	l.mu.Unlock()
	if out.Replay, err = l.replay(ctx, q, w); err == nil {
		l.wait(ctx, w, wait)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watches = slices.DeleteFunc(l.watches, func(x *watch) bool { return x == w })
	out.Stored, out.Waiting = w.stored, len(w.open)
	for r, n := range w.refused {
		r.Letters = n
		out.Refused = append(out.Refused, r)
	}
	slices.SortFunc(out.Refused, func(a, b Refused) int {
		return cmp.Or(b.Letters-a.Letters, cmp.Compare(a.Function, b.Function), cmp.Compare(a.Reason, b.Reason))
	})
	if w.more > 0 {
		out.Refused = append(out.Refused, Refused{Reason: "other reasons", Letters: w.more})
	}
	return out, err
}

// wait waits until all letters of w have an outcome, but not longer than span.
func (l *Letters) wait(ctx context.Context, w *watch, span time.Duration) {
	l.mu.Lock()
	w.sent = true
	w.check()
	l.mu.Unlock()
	end := time.NewTimer(span)
	defer end.Stop()
	select {
	case <-w.done:
	case <-end.C:
	case <-ctx.Done():
	}
}

// add adds a letter to watch. The caller holds Letters.mu.
func (w *watch) add(d *Letter) {
	if w != nil {
		w.open[fileName(d.Function, d.ID)] = true
	}
}

// check ends the wait if all letters have an outcome. The caller holds Letters.mu.
func (w *watch) check() {
	if w.sent && len(w.open) == 0 {
		w.sent = false
		close(w.done)
	}
}

// settle notes the outcome of a letter: a refusal for that reason, or "" if the function
// has stored it. The caller holds l.mu.
func (l *Letters) settle(name string, d *Letter, reason string) {
	for _, w := range l.watches {
		if !w.open[name] {
			continue
		}
		delete(w.open, name)
		r := Refused{Function: d.Function, Reason: reason}
		switch _, known := w.refused[r]; {
		case reason == "":
			w.stored++
		case known || len(w.refused) < maxRefused:
			w.refused[r]++
		default:
			w.more++
		}
		w.check()
	}
}
