package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "bring the PostgreSQL of DATABASE_URL up to this version",
		Long: `Bring the PostgreSQL of DATABASE_URL up to this version. The variable stands in the environment or in .env.

Functions never do it themselves: they answer 503 until it is done. The database in .hearth is brought up to date by hearth up.`,
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
