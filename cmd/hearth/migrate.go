package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "migrate the PostgreSQL of DATABASE_URL to this version",
		Long: `Migrate the PostgreSQL of DATABASE_URL to the schema of this version. Run it once before the first start and after each upgrade; until then functions answer 503.

Set DATABASE_URL in the environment or in .env. The SQLite database in .hearth needs no command: hearth up migrates it.`,
		Example: "DATABASE_URL=postgres://user:password@host:5432/home hearth migrate",
		RunE: func(c *cobra.Command, _ []string) error {
			return here(c.ErrOrStderr(), func(h *local.Installation) error {
				if err := h.Migrate(c.Context()); err != nil {
					return err
				}
				_, err := fmt.Fprintln(c.OutOrStdout(), "the database is up to date")
				return err
			})
		},
	}
}
