package settings

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
)

const (
	lookAgain = time.Second
	settle    = 2 * time.Second // after it was written: an editor may not be done
)

// Watch reads hearth.yml again when it changes, once in a process. A bad file
// keeps the last good one. It is safe for concurrent use.
type Watch[T any] struct {
	secret  secret.String
	log     *slog.Logger
	compile func(*File) T

	mu      sync.Mutex
	looked  time.Time
	taken   sum // of the file that value or problem is of
	waiting sum // of one that may not be whole yet
	value   T
	problem error
}

type sum [sha256.Size]byte

// NewWatch reads nothing yet. compile makes of a file what the process acts on,
// and notes further mistakes in it; it gets files with mistakes too, and one
// without settings.
func NewWatch[T any](s secret.String, log *slog.Logger, compile func(*File) T) *Watch[T] {
	return &Watch[T]{secret: s, log: log, compile: compile, value: compile(Parse(nil))}
}

// Look returns what the file says, or said when it was last without mistakes, and
// what is wrong with it now. Where it is missing or empty, what it said before
// stays. It may be called for every message: it looks at the file once a second.
func (w *Watch[T]) Look(now time.Time) (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.looked.IsZero() && now.Sub(w.looked) < lookAgain && !now.Before(w.looked) {
		return w.value, w.problem
	}
	w.looked = now
	file, written, err := w.secret.Read(maxBytes + 1)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(bytes.TrimSpace(file)) == 0:
		if w.problem != nil { // it would be said again
			w.problem, w.taken = nil, sum{}
		}
	case err != nil:
		w.say(err, sum{})
	default:
		w.read(file, now.Sub(written).Abs() >= settle)
	}
	return w.value, w.problem
}

// read takes a file in that is another than before. One that was just written is
// taken when it is still the same at the next look, and the first at once if it
// is good.
func (w *Watch[T]) read(file []byte, settled bool) {
	now := sum(sha256.Sum256(file))
	if now == w.taken {
		return
	}
	settled = settled || now == w.waiting
	w.waiting = now
	if !settled && w.taken != (sum{}) {
		return
	}
	f := Parse(file)
	value := w.compile(f)
	switch err := f.Err(); {
	case err == nil:
		w.good(f, value, now)
	case settled:
		w.say(err, now)
	}
}

func (w *Watch[T]) good(f *File, value T, taken sum) {
	message := "hearth.yml read"
	if w.problem != nil {
		message = "hearth.yml is right again"
	}
	w.value, w.problem, w.taken = value, nil, taken
	w.log.Info(message, "devices", len(f.Devices), "rules", len(f.Rules))
	for _, m := range f.Sorted() { // warnings
		w.log.Warn("hearth.yml", "warning", m.Error())
	}
}

// say notes what is wrong with the file, once.
func (w *Watch[T]) say(err error, taken sum) {
	if w.problem == nil || w.problem.Error() != err.Error() {
		w.log.Error("hearth.yml has mistakes and is kept as it was", "err", err)
	}
	w.problem, w.taken = err, taken
}
