package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
)

func gatewayCommand() *cobra.Command {
	return &cobra.Command{
		Use: "gateway NAME=URL...", Short: "only the gateway, for functions that you started yourself",
		Long: `Run only the gateway, for functions that you started yourself as other processes on this machine.

It serves the OpenFaaS API on 127.0.0.1 at PORT (default: 8080). It reads the functions' schedules and topics from stack.yml, and from stack.extra.yml if there is one.`,
		Example: "hearth gateway weather=http://127.0.0.1:8082",
		RunE: func(c *cobra.Command, args []string) error {
			return here(c.OutOrStdout(), func(h *local.Installation) error { return serveOnly(c.Context(), h, args) })
		},
	}
}

// serveOnly runs the gateway for the functions that args name, each as NAME=URL.
func serveOnly(ctx context.Context, h *local.Installation, args []string) error {
	err := h.Gateway(ctx, args)
	if unknown, ok := errors.AsType[local.UnknownFunctionError](err); ok {
		return command.Unknown("function", unknown.Name, unknown.Known)
	}
	if errors.As(err, new(local.ArgumentError)) {
		return command.Wrong(err)
	}
	return err
}
