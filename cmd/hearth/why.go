package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/printable"
)

func whyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "why DEVICE", Short: "how far the messages of a device come, and what to do",
		Long: `Say how far the messages of a device come: its last value, the node or bridge that forwards them, the broker, the last message that could not be stored and why; and what to do.

DEVICE is its id or its name. An alert about a silent device says the same.`,
		Example:           "hearth why office-air",
		ValidArgsFunction: completeDevices,
		RunE: func(c *cobra.Command, args []string) error {
			return here(c.ErrOrStderr(), func(h *local.Installation) error {
				report, err := h.Why(c.Context(), args[0], time.Now())
				if err != nil {
					return err
				}
				for _, line := range report.Lines() {
					fmt.Fprintln(c.OutOrStdout(), printable.Line(line))
				}
				return nil
			})
		},
	}
}
