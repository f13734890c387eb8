package main

import (
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
)

func gatewayCommand() *cobra.Command {
	return &cobra.Command{
		Use: "gateway NAME=URL...", Short: "only the gateway, for functions that you started yourself",
		Long: `Run only the gateway, for functions that you started yourself as other processes on this machine.

It serves the OpenFaaS API on 127.0.0.1 at PORT (default: 8080). It reads the functions' schedules and topics from stack.yml and stack.extra.yml.`,
		Example: "hearth gateway weather=http://127.0.0.1:8082",
		RunE: func(c *cobra.Command, args []string) error {
			return here(c.OutOrStdout(), func(h *local.Installation) error { return h.Gateway(c.Context(), args) })
		},
	}
}
