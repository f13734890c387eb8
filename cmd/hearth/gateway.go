package main

import (
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
)

func gatewayCommand() *cobra.Command {
	return &cobra.Command{
		Use: "gateway NAME=URL...", Short: "the gateway alone, before functions that run already",
		Long: `Run the gateway alone, before functions that run as processes of their own on this machine.

It listens on 127.0.0.1 at PORT (8080) and speaks OpenFaaS' API; what it says of the functions stands in the stack files.`,
		Example: "hearth gateway weather=http://127.0.0.1:8082",
		RunE: func(c *cobra.Command, args []string) error {
			return here(c.OutOrStdout(), func(h *local.Installation) error { return h.Gateway(c.Context(), args) })
		},
	}
}
