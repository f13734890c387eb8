package main

import (
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
)

func upCommand() *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "run the whole platform on this machine (the default)",
		Long: `Run the whole platform on this machine: gateway, functions, schedules, MQTT broker, connector, database, and simulated sensors.

A source without a key works on sample data; the log says what to set to make it live. Ctrl-C stops the platform, and the next start continues from there. The page is at http://127.0.0.1:8080. PORT sets another port; the connector takes the one after it. MQTT_PORT sets the broker's, which is 1883.`,
		Example: `hearth up
MQTT_URL=tcp://my-broker:1883 hearth up  # use your own broker`,
		RunE: func(c *cobra.Command, _ []string) error {
			if os.Getenv("GOMAXPROCS") == "" {
				runtime.GOMAXPROCS(1) // it is nearly always idle: with more, idle threads that look for work cost a fifth of its processor time
			}
			return here(c.OutOrStdout(), func(h *local.Installation) error { return h.Up(c.Context()) })
		},
	}
}
