package settings

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
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

// ErrUnread says that there is a hearth.yml, and that since the process began it
// was never without mistakes in what the process acts on.
var ErrUnread = errors.New("hearth.yml is not read yet")

// Watch reads hearth.yml again when it changes, once in a process. Where what the
// process acts on has mistakes, what it was before stays. It is safe for concurrent
// use.
type Watch[T any] struct {
	secret  secret.String
	log     *slog.Logger
	acts    []string
	compile func(*File) T

	mu      sync.Mutex
	looked  time.Time
	taken   sum // of the file that value or problem is of
	waiting sum // of one that may not be whole yet
	value   T
	read    bool // value is of a file
	unread  bool // a file is there, and none was read
	problem error
}

type sum [sha256.Size]byte

// NewWatch reads nothing yet. acts are the paths of what the process acts on, as
// in devices or house.zone: mistakes elsewhere are only warnings to it. compile makes
// of a file what that says, and notes further mistakes in it; it gets files with
// mistakes too, and one without settings.
func NewWatch[T any](s secret.String, log *slog.Logger, acts []string, compile func(*File) T) *Watch[T] {
	return &Watch[T]{secret: s, log: log, acts: acts, compile: compile, value: compile(Parse(nil))}
}

// Look returns what the file says, or said when it was last without mistakes in
// what the process acts on, and what is wrong with it now, everywhere. While that is
// ErrUnread, there are settings and nobody knows which. Where the file is missing or
// empty, what it said before stays. It may be called for every message: it looks at
// the file once a second.
func (w *Watch[T]) Look(now time.Time) (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looked.IsZero() || now.Sub(w.looked) >= lookAgain || now.Before(w.looked) {
		w.looked = now
		w.look(now)
	}
	switch {
	case w.unread && w.problem != nil:
		return w.value, fmt.Errorf("%w: %w", ErrUnread, w.problem)
	case w.unread:
		return w.value, ErrUnread
	}
	return w.value, w.problem
}

func (w *Watch[T]) look(now time.Time) {
	file, written, err := w.secret.Read(maxBytes + 1)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(bytes.TrimSpace(file)) == 0:
		if w.problem != nil { // it would be said again
			w.problem, w.taken = nil, sum{}
		}
		w.unread = false
	case err != nil:
		w.unread = !w.read
		w.say(err, sum{})
	default:
		w.take(file, now.Sub(written).Abs() >= settle)
	}
}

// take takes a file in that is another than before. One that was just written is
// taken when it is still the same at the next look, and the first at once if it
// is good.
func (w *Watch[T]) take(file []byte, settled bool) {
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
	err := f.Err()
	if err == nil || settled && f.sound(w.acts...) {
		w.value, w.read = value, true
	}
	w.unread = !w.read
	switch {
	case err == nil:
		w.good(f, now)
	case settled && f.sound(w.acts...):
		w.warn(err, now)
	case settled:
		w.say(err, now)
	}
}

func (w *Watch[T]) good(f *File, taken sum) {
	message := "hearth.yml read"
	if w.problem != nil {
		message = "hearth.yml is right again"
	}
	w.problem, w.taken = nil, taken
	w.log.Info(message, "devices", len(f.Devices), "rules", len(f.Rules))
	for _, m := range f.Sorted() { // warnings
		w.log.Warn("hearth.yml", "warning", m.Error())
	}
}

// warn notes mistakes in what the process does not act on, once.
func (w *Watch[T]) warn(err error, taken sum) {
	w.log.Warn("hearth.yml read; it has mistakes in other sections", "err", err)
	w.problem, w.taken = err, taken
}

// say notes what is wrong with the file, once.
func (w *Watch[T]) say(err error, taken sum) {
	if w.problem == nil || w.problem.Error() != err.Error() {
		message := "hearth.yml has mistakes and is kept as it was"
		if w.unread {
			message = "hearth.yml has mistakes and cannot be acted on until it is right"
		}
		w.log.Error(message, "err", err)
	}
	w.problem, w.taken = err, taken
}
