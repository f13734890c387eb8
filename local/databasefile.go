package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// errUnusable is what calls answer: the reason is logged once, and on the page.
var errUnusable = errors.New("the database cannot be used; the log and the page say why")

const (
	reopenAfter = 2 * time.Second  // how often a database that cannot be used is tried again
	checkTime   = 20 * time.Second // for reading the whole file after the start
)

// fileStore is the SQLite database in the state folder as the running platform uses it. The
// platform starts even if the file is damaged: calls are answered 503 and messages wait.
type fileStore struct {
	*platform
	ends context.CancelFunc // of the check after the start
	done sync.WaitGroup

	mu      sync.Mutex
	st      *store.Store
	info    os.FileInfo // of the opened file
	tried   time.Time
	problem error // why the database cannot be used, or what was found damaged; nil: it is good
}

// start opens the file and logs why it cannot be used. It checks in the background whether
// the rest of the file can be read.
func (f *fileStore) start(ctx context.Context) error {
	if !f.ownsState { // a command reports the error itself
		_, err := f.get(ctx)
		return f.adviseDatabase(err)
	}
	if info, err := os.Stat(f.databaseFile()); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		f.log.Warn("the database " + f.databaseFile() + " is empty: hearth begins with a new one; if it had readings, stop hearth and put a backup in its place")
	}
	if _, err := f.get(ctx); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	check, ends := context.WithTimeout(context.WithoutCancel(ctx), checkTime)
	f.ends = ends
	if f.opened() {
		f.done.Go(func() {
			if e, ok := errors.AsType[*sqlite.DamagedError](sqlite.Check(check, f.databaseFile())); ok {
				f.damaged(e)
			}
		})
	}
	return nil
}

func (f *fileStore) stop() error {
	if f.ends != nil {
		f.ends()
	}
	f.done.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.st == nil {
		return nil
	}
	return f.st.Close()
}

func (f *fileStore) opened() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.st != nil
}

// get returns the open database. A file that could not be opened is tried again.
func (f *fileStore) get(ctx context.Context) (*store.Store, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, damaged := errors.AsType[*sqlite.DamagedError](f.problem); f.st != nil && damaged {
		return nil, f.reason(f.problem) // to write would damage more
	}
	if f.st != nil {
		return f.same()
	}
	if f.problem != nil && f.now().Sub(f.tried) < reopenAfter {
		return nil, f.reason(f.problem)
	}
	st, err := f.openFile(ctx)
	f.tried = f.now()
	switch {
	case err == nil:
		if f.st = st; f.problem != nil {
			f.log.Info("the database can be used again")
		}
		f.problem = nil
		f.info, err = os.Stat(f.databaseFile())
		return st, err
	case ctx.Err() != nil:
		return nil, err
	case f.ownsState && (f.problem == nil || f.problem.Error() != err.Error()):
		f.log.Error("nothing can be stored, and messages wait", "err", f.adviseDatabase(err))
	}
	f.problem = err
	return nil, f.reason(err)
}

// reason returns what a call answers: the error, or of the running platform that it is logged.
func (f *fileStore) reason(err error) error {
	if f.ownsState {
		return errUnusable
	}
	return err
}

// same returns the open database, unless its file has been removed or replaced: SQLite would
// write to a file that nobody finds.
func (f *fileStore) same() (*store.Store, error) {
	info, err := os.Stat(f.databaseFile())
	if err == nil && os.SameFile(info, f.info) {
		if f.problem != nil {
			f.log.Info("the database can be used again")
			f.problem = nil
		}
		return f.st, nil
	}
	gone := fmt.Errorf("the database %s was removed or replaced while hearth runs: nothing is stored, and messages wait. Stop hearth with Ctrl-C and start it again", f.databaseFile())
	if f.problem == nil || f.problem.Error() != gone.Error() {
		f.log.Error(gone.Error())
	}
	f.problem = gone
	return nil, f.reason(gone)
}

// damaged notes what was found in the open file, and logs it once.
func (f *fileStore) damaged(e *sqlite.DamagedError) {
	e.Path = f.databaseFile()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.st != nil && f.problem == nil {
		f.log.Error("nothing more is stored, and messages wait", "err", f.adviseDatabase(e))
		f.problem = e
	}
}

// openForPage opens the store for the page, which shows why that failed.
func (p *platform) openForPage(ctx context.Context) (*store.Store, error) {
	st, err := p.open(ctx)
	if errors.Is(err, errUnusable) {
		err = p.file.why()
	}
	return st, err
}

// why returns why the database cannot be used, and what to do.
func (f *fileStore) why() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.problem == nil {
		return errUnusable // it can be used again by now
	}
	return f.adviseDatabase(f.problem)
}

// openFile opens the file, and logs the progress of a long migration every 2 s.
func (f *fileStore) openFile(ctx context.Context) (*store.Store, error) {
	var logged time.Time
	return sqlite.OpenWatched(ctx, f.databaseFile(), func(e *sqlite.DamagedError) { go f.damaged(e) }, func(moved, total int64) {
		if time.Since(logged) > 2*time.Second || moved == total {
			f.log.Info("moving readings to their new table", "moved", moved, "of", total)
			logged = time.Now()
		}
	})
}

// adviseDatabase adds to the error of a damaged database what to do.
func (h *Installation) adviseDatabase(err error) error {
	if e, ok := errors.AsType[*sqlite.DamagedError](err); !ok || e.Folder() {
		return err
	}
	return fmt.Errorf("%w. Stop hearth (Ctrl-C) and run %s database salvage: it copies what can be read to a new file and keeps this one; or put a backup in its place", err, program)
}

// Salvage replaces a damaged SQLite database by a new one with all rows that can be read. kept
// is the new name of the damaged file; "": the database is good, and nothing was changed. hearth
// up must not run.
func (h *Installation) Salvage(ctx context.Context) (got sqlite.Salvaged, kept string, err error) {
	if servers, err := h.databaseServers(); err != nil || servers {
		return got, "", errors.Join(err, errors.New("the data is in InfluxDB and PostgreSQL: salvage is for the database in "+h.dir))
	}
	file := h.databaseFile()
	if _, err := os.Stat(file); err != nil {
		return got, "", fmt.Errorf("there is no database to salvage: %w", err)
	}
	held, err := lock(h.lockFile())
	if errors.Is(err, errInUse) {
		return got, "", errors.New("hearth up is running: stop it with Ctrl-C first")
	}
	if err != nil {
		return got, "", err
	}
	defer held.Close()
	if good, err := usable(ctx, file); good || err != nil {
		return got, "", err
	}
	left, _ := filepath.Glob(filepath.Join(h.dir, "salvage-*")) // of one that was killed
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return got, "", err
		}
	}
	part := file + ".salvaged"
	if got, err = sqlite.Salvage(ctx, file, part); err != nil {
		return got, "", err
	}
	kept = file + ".damaged-" + time.Now().UTC().Format("20060102-150405")
	for _, end := range []string{"-wal", "-shm"} {
		if err := os.Rename(file+end, kept+end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return got, "", err
		}
	}
	// There is a database at each moment: hearth up would begin an empty one if there were
	// none after a kill.
	if os.Link(file, kept) != nil { // a file system without hard links
		if err := os.Rename(file, kept); err != nil {
			return got, "", err
		}
	}
	return got, kept, os.Rename(part, file)
}

// usable reports whether the database opens and all of it can be read. The error is about
// something else than damage.
func usable(ctx context.Context, file string) (bool, error) {
	st, err := sqlite.OpenExisting(ctx, file)
	if err == nil {
		err = errors.Join(sqlite.Check(ctx, file), st.Close())
	} else if errors.Is(err, store.ErrNotMigrated) {
		err = sqlite.Check(ctx, file)
	}
	e, damaged := errors.AsType[*sqlite.DamagedError](err)
	switch {
	case damaged && e.Folder():
		return false, err
	case damaged:
		return false, ctx.Err()
	}
	return err == nil, errors.Join(err, ctx.Err())
}
