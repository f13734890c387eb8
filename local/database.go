package local

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/store"
)

// Functions returns the last status of every function that ever ran here, sorted by name.
// A function that was removed stays in the list until Forget.
func (h *Installation) Functions(ctx context.Context) (fs []store.Function, err error) {
	err = h.withStore(ctx, func(st *store.Store) error {
		fs, err = st.Functions(ctx)
		return err
	})
	return fs, err
}

// Forget removes a function from the list of Functions, so that it is no longer shown and
// watched. Its next run adds it again. An unknown name is an error.
func (h *Installation) Forget(ctx context.Context, name string) error {
	return h.withStore(ctx, func(st *store.Store) error {
		known, err := st.ForgetFunction(ctx, name)
		if err != nil || known {
			return err
		}
		fs, err := st.Functions(ctx)
		if err != nil {
			return err
		}
		if len(fs) == 0 {
			return fmt.Errorf("no function %q is known: none has run yet", name)
		}
		var names []string
		for _, f := range fs {
			names = append(names, f.Name)
		}
		return fmt.Errorf("no function %q was ever seen, or it is forgotten; there are: %s", name, strings.Join(names, ", "))
	})
}

// withStore opens the database, calls do and closes the database. The platform may run at
// the same time.
func (h *Installation) withStore(ctx context.Context, do func(*store.Store) error) (err error) {
	p, err := newPlatform(h)
	if err != nil {
		return err
	}
	parts := []part{p.storePart()}
	if err := startAll(ctx, parts); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(context.WithoutCancel(ctx), parts)) }()
	st, err := p.open(ctx)
	if err != nil {
		return err
	}
	return do(st)
}

// Migrate migrates the PostgreSQL database of DATABASE_URL to the schema of this version.
func (h *Installation) Migrate(ctx context.Context) error {
	if h.vars["DATABASE_URL"] == "" {
		return errors.New("which database? Set DATABASE_URL=postgres://user:password@host:5432/home in the environment or in .env; " +
			"the one in .hearth needs no migration by hand")
	}
	return store.Migrate(ctx, h.env().Secrets.Get("database-url"))
}
