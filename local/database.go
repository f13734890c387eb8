package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

// Functions returns the last status of every function that ever ran here, sorted by name.
// A function that was removed stays in the list until Forget.
func (h *Installation) Functions(ctx context.Context) (all []store.Function, err error) {
	err = h.withStore(ctx, func(st *store.Store) error {
		all, err = st.Functions(ctx)
		return err
	})
	if errors.Is(err, errNoDatabase) {
		return nil, nil
	}
	return all, err
}

// Forget removes a function from the list of Functions, so that it is no longer shown and
// watched. Its next run adds it again. An unknown name is an error.
func (h *Installation) Forget(ctx context.Context, name string) error {
	none := fmt.Errorf("no function %q is known: none has run yet", name)
	err := h.withStore(ctx, func(st *store.Store) error {
		known, err := st.ForgetFunction(ctx, name)
		if err != nil || known {
			return err
		}
		all, err := st.Functions(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return none
		}
		var names []string
		for _, f := range all {
			names = append(names, f.Name)
		}
		return fmt.Errorf("no function %q was ever seen, or it is forgotten; there are: %s", name, strings.Join(names, ", "))
	})
	if errors.Is(err, errNoDatabase) {
		return none
	}
	return err
}

// withStore opens the database, calls do and closes the database. It neither creates nor
// migrates it: without the file the error is errNoDatabase. The platform may run at the
// same time.
func (h *Installation) withStore(ctx context.Context, do func(*store.Store) error) (err error) {
	st, err := h.openExisting(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return do(st)
}

// errNoDatabase means that the SQLite database does not exist yet: nothing has run here. It
// is not fs.ErrNotExist, with which a database server's missing socket is reported, too.
var errNoDatabase = errors.New("there is no database yet")

func (h *Installation) openExisting(ctx context.Context) (*store.Store, error) {
	servers, err := h.databaseServers()
	if err != nil {
		return nil, err
	}
	if servers {
		c, err := config.Parse[store.Config](h.env())
		if err != nil {
			return nil, err
		}
		return store.Open(ctx, c)
	}
	st, err := sqlite.OpenExisting(ctx, h.databaseFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = errNoDatabase
	case err != nil && !errors.Is(err, store.ErrNotMigrated):
		err = h.adviseDatabase(err)
	case err != nil:
		err = fmt.Errorf("the database %s is of an older version of hearth: the next start of hearth up migrates it", h.databaseFile())
	}
	return st, err
}

// dryStorePart is storePart for a dry run: it neither creates nor migrates the database. An
// existing one counts the requests against the upstream's quota. Without one, the dry run has
// a temporary database, which is removed at the end.
func (p *platform) dryStorePart() part {
	var st *store.Store
	var dir string // of the temporary one; "": there is none
	return part{"store", func(ctx context.Context) (err error) {
		if st, err = p.openExisting(ctx); errors.Is(err, errNoDatabase) {
			if dir, err = os.MkdirTemp("", "hearth-"); err != nil {
				return err
			}
			st, err = sqlite.Open(ctx, filepath.Join(dir, "hearth.db"))
		}
		if err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
		p.open = func(context.Context) (*store.Store, error) { return st, nil }
		return nil
	}, func(context.Context) error { return errors.Join(st.Close(), os.RemoveAll(dir)) }}
}

// databaseFile is the SQLite database in the state folder.
func (h *Installation) databaseFile() string { return filepath.Join(h.dir, "hearth.db") }

// databaseServers reports whether InfluxDB and PostgreSQL are used instead of the file.
func (h *Installation) databaseServers() (bool, error) {
	influx, database := h.vars["INFLUX_URL"] != "", h.vars["DATABASE_URL"] != ""
	if influx != database {
		return false, errors.New("INFLUX_URL and DATABASE_URL belong together: set both for real databases, or neither for the one in " + h.dir)
	}
	if _, err := host.Value(h.vars, host.AuthoritySecret); influx && err != nil {
		return false, err
	}
	return influx, nil
}
