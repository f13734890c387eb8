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
	lookEvery  = time.Second
	settleTime = 2 * time.Second // after the file was written: an editor may still be writing
)

// ErrUnread is returned while there is a hearth.yml that has had mistakes in the
// caller's sections ever since the process began.
var ErrUnread = errors.New("hearth.yml is not read yet")

// Watch reads hearth.yml again when it changes, and keeps the value that compile makes
// of it and of what ReadSaved found. If the caller's sections have mistakes, the value before
// stays. It is safe for concurrent use.
type Watch[T any] struct {
	secret  secret.String
	log     *slog.Logger
	paths   []string
	compile func(*File) T

	saved savedMappings

	mu      sync.Mutex
	looked  time.Time
	text    []byte   // of the file that value belongs to
	known   []string // the saved mappings that value has
	current sum      // of the file that value or problem belongs to
	waiting sum      // of a file that may be incomplete yet
	value   T
	read    bool  // value belongs to a file
	unread  bool  // there is a file, and none was used so far
	problem error // the mistakes of the current file
	warned  bool  // the current file has warnings
	gone    bool  // it was reported that the file is missing or empty
}

type sum [sha256.Size]byte

// NewWatch returns a Watch of a secret. paths are what the caller uses, as in devices
// or house.zone: mistakes elsewhere are only warnings. compile returns the value of a
// File and may note further mistakes in it. It also gets files with mistakes, and at
// once an empty one.
func NewWatch[T any](s secret.String, log *slog.Logger, paths []string, compile func(*File) T) *Watch[T] {
	return &Watch[T]{secret: s, log: log, paths: paths, compile: compile, value: compile(&File{Absent: true, at: map[string]position{}})}
}

// Look returns the value of the last file without mistakes in the caller's paths, and
// as an error all mistakes that the file has now. While the error is ErrUnread there
// is a file, and the value is that of an empty one. If the file is missing or empty,
// the last value stays. Look reads the file at most once a second, so it may be called
// for every message.
func (w *Watch[T]) Look(now time.Time) (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.looked.IsZero() || now.Sub(w.looked) >= lookEvery || now.Before(w.looked) {
		w.looked = now
		w.readFile(now)
	}
	switch {
	case w.unread && w.problem != nil:
		return w.value, fmt.Errorf("%w: %w", ErrUnread, w.problem)
	case w.unread:
		return w.value, ErrUnread
	}
	return w.value, w.problem
}

func (w *Watch[T]) readFile(now time.Time) {
	file, written, err := w.secret.Read(maxBytes + 1)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(bytes.TrimSpace(file)) == 0:
		if w.problem != nil { // the same mistakes are logged again if they come back
			w.problem, w.current = nil, sum{}
		}
		w.unread = false
		if w.read && !w.gone {
			w.log.Warn("hearth.yml is missing or empty: the settings before stay in use until hearth is started again")
			w.gone = true
		}
	case err != nil:
		w.unread = !w.read
		w.logMistakes("cannot be read", err, sum{})
	default:
		w.update(file, now.Sub(written).Abs() >= settleTime)
	}
}

// update compiles a file that has changed. A file that was just written is compiled at
// the next look if it is still the same then. The first file is compiled at once, and
// used if it has no mistakes.
func (w *Watch[T]) update(file []byte, settled bool) {
	now := sum(sha256.Sum256(file))
	if now == w.current {
		if w.gone && w.problem == nil {
			w.log.Info("hearth.yml is there again, as it was")
		}
		w.gone = false
		return
	}
	settled = settled || now == w.waiting
	w.waiting = now
	if !settled && w.current != (sum{}) {
		return
	}
	f := Parse(file)
	f.Saved = w.known
	value := w.compile(f)
	err := f.Err()
	if err == nil || settled && f.valid(w.paths...) {
		w.value, w.text, w.read = value, file, true
	}
	w.unread = !w.read
	switch {
	case err == nil:
		w.logGood(f, now)
	case settled && f.valid(w.paths...):
		w.logMistakesElsewhere(err, now)
	case settled:
		w.logMistakes("has mistakes", err, now)
	}
}

func (w *Watch[T]) logGood(f *File, taken sum) {
	message, warnings := "hearth.yml read", len(f.Mistakes) > 0
	if w.problem != nil || w.warned && !warnings {
		message = "hearth.yml has no mistakes any more"
	}
	w.problem, w.current, w.warned, w.gone = nil, taken, warnings, false
	w.log.Info(message, "devices", len(f.Devices), "rules", len(f.Rules))
	for _, m := range f.Sorted() { // warnings
		w.log.Warn("hearth.yml", "warning", m.Error())
	}
}

// logMistakesElsewhere logs mistakes outside of the caller's paths, once for each
// file.
func (w *Watch[T]) logMistakesElsewhere(err error, taken sum) {
	w.log.Warn("hearth.yml read, with mistakes in other sections", "err", err)
	w.problem, w.current, w.gone = err, taken, false
}

// logMistakes logs why a file is not used, once.
func (w *Watch[T]) logMistakes(what string, err error, taken sum) {
	if w.problem == nil || w.problem.Error() != err.Error() {
		message := "hearth.yml " + what + ": the settings before stay in use"
		if w.unread {
			message = "hearth.yml " + what + ": no settings are in use until this is corrected"
		}
		w.log.Error(message, "err", err)
	}
	w.problem, w.current, w.gone = err, taken, false
}
