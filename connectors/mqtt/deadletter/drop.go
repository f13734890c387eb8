package deadletter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// drop removes the matching letters for good and returns their number. q must have a
// filter or All.
func (l *Letters) drop(q Query) (int, error) {
	if err := q.checkPicks(); err != nil {
		return 0, err
	}
	var gone []*Letter
	var err error
	for _, d := range l.List(q) {
		removed, e := l.remove(fileName(d.Function, d.ID))
		if e != nil {
			err = fmt.Errorf("drop %s: %w", d.ID, e)
			break
		}
		if removed != nil {
			gone = append(gone, removed)
		}
	}
	l.reportGone(context.Background(), gone)
	return len(gone), err
}

// remove is removeLocked for callers that do not hold l.mu.
func (l *Letters) remove(name string) (*Letter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.removeLocked(name)
}

// removeLocked removes a letter and returns it, or nil if there is none of that name.
// The caller holds l.mu, and passes the letter to reportGone later.
func (l *Letters) removeLocked(name string) (*Letter, error) {
	d := l.letters[name]
	if d == nil {
		return nil, nil
	}
	path := filepath.Join(l.o.Dir, name)
	if err := os.Rename(path, path+goneExt); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	delete(l.letters, name)
	l.bytes -= d.bytes
	return d, nil
}

// dropOldest drops the oldest letters until another one of so many bytes fits under
// both caps. It returns and counts the dropped letters. It drops one percent more than
// needed, so that the letters are not sorted again for each further one. The caller
// holds l.mu.
func (l *Letters) dropOldest(bytes int64) (gone []*Letter) {
	full := func(count int, size int64) bool { return len(l.letters) > count || l.bytes+bytes > size }
	if !full(l.o.Max-1, l.o.MaxBytes) {
		return nil
	}
	byAge := slices.SortedFunc(maps.Values(l.letters), func(a, b *Letter) int { return a.First.Compare(b.First) })
	for _, d := range byAge {
		if !full(l.o.Max-1-l.o.Max/100, l.o.MaxBytes-l.o.MaxBytes/100) {
			break
		}
		if removed, err := l.removeLocked(fileName(d.Function, d.ID)); removed != nil && err == nil {
			gone = append(gone, removed)
			l.dropped++
		}
	}
	return gone
}
