package settings

import (
	"context"
	"slices"
	"sync"
	"time"
)

// savedEvery is how often the mappings that were saved on the page are read.
const savedEvery = 2 * time.Second

// savedReader has the mappings that were saved on the page: the store.
type savedReader interface {
	SavedMappings(context.Context) ([]string, error)
}

// savedMappings is when the mappings that were saved on the page were read.
type savedMappings struct {
	mu      sync.Mutex
	at      time.Time // zero: never
	read    bool      // they were read once
	reading bool      // one caller reads them again
}

// ReadSaved reads the mappings that were saved on the page, at most every two seconds, so that
// it may be called for every message. They are in the File that compile gets. An error is the
// store's, before they were read for the first time; later those that were read last stay. It
// waits for no other caller: while a store does not answer, only one asks it again.
func (w *Watch[T]) ReadSaved(ctx context.Context, from savedReader, now time.Time) error {
	first, due := w.saved.begin(now)
	if !due {
		return nil
	}
	found, err := from.SavedMappings(ctx)
	w.saved.mu.Lock()
	defer w.saved.mu.Unlock()
	if !first {
		w.saved.reading = false
	}
	if err != nil && !w.saved.read {
		return err
	}
	w.saved.at, w.saved.read = now, true
	if err == nil {
		w.useSaved(found)
	}
	return nil
}

// begin reports whether the caller is to read the mappings now. Until they were read for the
// first time all callers do.
func (s *savedMappings) begin(now time.Time) (first, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.read {
		return true, true
	}
	age := now.Sub(s.at)
	due = !s.reading && (age < 0 || age >= savedEvery)
	s.reading = s.reading || due
	return false, due
}

// useSaved compiles the settings again if other mappings are saved than before. The next look
// reads the file again, since its mistakes may be others.
func (w *Watch[T]) useSaved(found []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Equal(found, w.known) {
		return
	}
	w.known = found
	f := Parse(w.text)
	f.Saved, f.Absent = found, !w.read
	w.value = w.compile(f)
	w.looked, w.waiting, w.current = time.Time{}, w.current, sum{}
}
