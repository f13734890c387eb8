package local

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/store"
)

// Functions returns what the functions last said of themselves, by name; one that
// was taken away is there until it is forgotten.
func (h *Installation) Functions(ctx context.Context) (fs []store.Function, err error) {
	err = h.inStore(ctx, func(st *store.Store) error {
		fs, err = st.Functions(ctx)
		return err
	})
	return fs, err
}

// Forget removes a function that was taken away from what is shown and watched.
// Called again, it is back.
func (h *Installation) Forget(ctx context.Context, name string) error {
	return h.inStore(ctx, func(st *store.Store) error {
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

// inStore opens the database for do; the platform may run beside it.
func (h *Installation) inStore(ctx context.Context, do func(*store.Store) error) (err error) {
	u, err := newUp(h)
	if err != nil {
		return err
	}
	parts := []part{u.storePart()}
	if err := startAll(ctx, parts); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAll(context.WithoutCancel(ctx), parts)) }()
	st, err := u.open(ctx)
	if err != nil {
		return err
	}
	return do(st)
}

// Migrate brings the PostgreSQL of DATABASE_URL up to this version.
func (h *Installation) Migrate(ctx context.Context) error {
	if h.vars["DATABASE_URL"] == "" {
		return errors.New("which database? Set DATABASE_URL=postgres://user:password@host:5432/home in the environment or in .env; " +
			"the one in .hearth needs no migration by hand")
	}
	env, err := h.env()
	if err != nil {
		return err
	}
	return store.Migrate(ctx, env.Secrets.Get("database-url"))
}
