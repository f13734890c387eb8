package main

import (
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "migrate PostgreSQL, create buckets for roll-ups in InfluxDB",
		Long: `Migrate the PostgreSQL of DATABASE_URL to the schema of this version, and create in the InfluxDB of INFLUX_URL the buckets of the roll-ups, such as home_5m and home_1h. Run it once before the first start and after each upgrade; until PostgreSQL is migrated functions answer 503, and without the buckets nothing is rolled up and no reading expires.

Set DATABASE_URL and INFLUX_URL, or only one of them, in the environment or in .env. To create buckets it needs INFLUX_ADMIN_TOKEN, once: for InfluxDB 2 a token that may read and write all buckets of the organization, for 1.8 user:password of an administrator, or anything if no login is required. Only this command uses it. The bucket of the readings, INFLUX_BUCKET, is not changed, nor is any other that exists.

It prints what it has done, and which rights the functions' token needs. The SQLite database in .hearth needs no command: hearth up migrates it.`,
		Example: "DATABASE_URL=postgres://user:password@host:5432/home hearth migrate\nINFLUX_ADMIN_TOKEN=… INFLUX_URL=http://host:8086 hearth migrate",
		RunE: func(c *cobra.Command, _ []string) error {
			return here(c.ErrOrStderr(), func(h *local.Installation) error { return h.Migrate(c.Context(), c.OutOrStdout()) })
		},
	}
}
