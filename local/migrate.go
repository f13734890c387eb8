package local

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/store"
)

// adminSecret is a token that may create buckets in InfluxDB. Only Migrate uses it: it is
// neither kept in the state folder nor given to a function.
const (
	adminSecret   = "influx-admin-token"
	adminVariable = "INFLUX_ADMIN_TOKEN"
)

// Migrate migrates the PostgreSQL database of DATABASE_URL to the schema of this version, and
// creates in the InfluxDB of INFLUX_URL the buckets of the roll-ups; one of both is enough.
// It writes to out what it has done.
func (h *Installation) Migrate(ctx context.Context, out io.Writer) error {
	if h.vars["DATABASE_URL"] == "" && h.vars["INFLUX_URL"] == "" {
		h.logMistypedNames(h.Logger())
		return errors.New("which database? Set DATABASE_URL=postgres://user:password@host:5432/home, INFLUX_URL=http://host:8086 or both in the environment or in .env; " +
			"the one in .hearth needs no migration by hand")
	}
	if h.vars["DATABASE_URL"] != "" {
		if err := store.Migrate(ctx, h.env().Secrets.Get("database-url")); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, "PostgreSQL is up to date."); err != nil {
			return err
		}
	}
	if h.vars["INFLUX_URL"] == "" {
		return nil
	}
	return h.migrateInflux(ctx, out)
}

func (h *Installation) migrateInflux(ctx context.Context, out io.Writer) error {
	if _, err := host.Value(h.vars, host.AuthoritySecret); err != nil {
		return err
	}
	env := h.env()
	c, err := config.Parse[store.Config](env)
	if err != nil {
		return err
	}
	said, err := store.MigrateInflux(ctx, c.Influx, env.Secrets.Get(adminSecret))
	for _, line := range said {
		if _, e := fmt.Fprintln(out, env.Secrets.Redact(line)); e != nil {
			return errors.Join(err, e)
		}
	}
	return err
}
