package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
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
	if d.bytes > shrinkBytes && shrink(path+goneExt, d) != nil {
		_ = os.Remove(path + goneExt) // its room is needed more than the notice after a kill
	}
	return d, nil
}

const shrinkBytes = 2 * blockBytes // of a letter's file; a smaller one frees hardly any room

// shrink frees the room of a removed letter's payload at once: the notice of its removal
// may have to wait for the spool, which may have to wait for this room. It overwrites
// the file in place, since a full disk takes no other one. read reads the file in each
// of its states.
func shrink(path string, d *Letter) error {
	b, err := json.Marshal(d) // without its payload, which is not in memory
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(b, 0); err == nil {
		err = f.Truncate(int64(len(b)))
	}
	return errors.Join(err, f.Close())
}

// The causes for which letters are dropped, as they are logged.
const (
	overNumber = "DEAD_MAX"
	overBytes  = "DEAD_MAX_MIB"
	overDisk   = "the disk is full"
)

// writeLetter writes the file of a letter at path, in place of that of old, if any. It
// first drops the oldest letters as far as the caps and the disk need it, and returns
// them. The caller holds l.mu.
func (l *Letters) writeLetter(path string, d, old *Letter) (gone []*Letter, err error) {
	if old == nil {
		gone = l.dropOldest(d.bytes)
	} else if short := l.short(d.bytes); short > 0 { // for the moment, both are on the disk
		gone = l.dropTo(overDisk, l.o.Max, l.bytes-short, old)
	}
	err = writeDurably(path, d)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) { // perhaps it takes no more files, however small
		n := len(l.letters)
		gone = append(gone, l.dropTo(overDisk, n-1-n/100, l.bytes-d.bytes, old)...)
		err = writeDurably(path, d)
	}
	return gone, err
}

// dropOldest drops the oldest letters until another one of so many bytes fits under
// both caps and on the disk. It returns and counts the dropped letters. At a cap it
// drops one percent more than needed, so that the letters are not sorted again for each
// further one. The caller holds l.mu.
func (l *Letters) dropOldest(bytes int64) (gone []*Letter) {
	cause, count, limit := "", l.o.Max-1, l.o.MaxBytes-bytes
	if l.bytes > limit {
		cause, limit = overBytes, limit-l.o.MaxBytes/100
	}
	if len(l.letters) > count {
		cause, count = overNumber, count-l.o.Max/100
	}
	if short := l.short(bytes); l.bytes-short < limit && short > 0 {
		cause, limit = overDisk, l.bytes-short
	}
	if cause == "" {
		return nil
	}
	return l.dropTo(cause, count, limit, nil)
}

// dropToCaps drops the oldest letters if there are more than the caps allow, as these
// were higher before. reportAll reports them.
func (l *Letters) dropToCaps() {
	if len(l.letters) > l.o.Max {
		l.unreported = append(l.unreported, l.dropTo(overNumber, l.o.Max, l.bytes, nil)...)
	}
	if l.bytes > l.o.MaxBytes && len(l.letters) > 1 {
		l.unreported = append(l.unreported, l.dropTo(overBytes, l.o.Max, l.o.MaxBytes, nil)...)
	}
}

// short returns how many bytes of the disk letters must give up before another one of
// so many bytes is written. These are never more than that: others may have filled the
// disk.
func (l *Letters) short(bytes int64) int64 { return min(max(bytes-l.o.Room(), 0), bytes) }

// dropTo drops the oldest letters, but not keep, until no more than so many are left, of
// no more than so many bytes. It returns and counts the dropped letters. The caller
// holds l.mu.
func (l *Letters) dropTo(cause string, count int, bytes int64, keep *Letter) (gone []*Letter) {
	byAge := slices.SortedFunc(maps.Values(l.letters), func(a, b *Letter) int { return a.First.Compare(b.First) })
	for _, d := range byAge {
		if len(l.letters) <= count && l.bytes <= bytes {
			break
		}
		if d == keep {
			continue
		}
		if removed, err := l.removeLocked(fileName(d.Function, d.ID)); removed != nil && err == nil {
			gone = append(gone, removed)
			l.dropped++
			if cause == overDisk { // the disk may lack room for one more file. Only after a kill the mirror may then keep the letter
				_ = os.Remove(filepath.Join(l.o.Dir, fileName(d.Function, d.ID)) + goneExt)
			}
		}
	}
	if now := l.o.Now(); len(gone) > 0 && now.Sub(l.logged[cause]) >= logEvery {
		l.logged[cause] = now
		l.o.Log.Warn("the oldest dead letters are dropped", "because", cause, "dropped_since_start", l.dropped, "kept", len(l.letters), "kept_bytes", l.bytes)
	}
	return gone
}

const logEvery = time.Hour // between two logs that letters are dropped for the same cause

// Yield drops the oldest letters to free so many bytes of the disk, or all letters if
// they have less. It is called when the disk has no room for the spool.
func (l *Letters) Yield(bytes int64) {
	l.mu.Lock()
	gone := l.dropTo(overDisk, l.o.Max, l.bytes-bytes, nil)
	l.mu.Unlock()
	l.reportGone(context.Background(), gone)
}
