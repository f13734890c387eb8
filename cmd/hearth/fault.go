package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
)

func faultCommand() *cobra.Command {
	return &cobra.Command{
		Use: "fault DEVICE FAULT", Short: "make a simulated sensor fail, to see its alert",
		Long: `Make a simulated sensor of the running hearth up fail, to see its alert and its end on the page and in the outbox: http://127.0.0.1:8080/outbox

FAULT is one of: over (its values are over the limit), silent (it sends nothing), frozen (its values no longer change), broken (its answers are damaged), off (it works). A sensor has one fault at a time. hearth up starts without faults.`,
		Example: `hearth fault office-air over
hearth fault office-air off`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return local.SimulatedDevices(), cobra.ShellCompDirectiveNoFileComp
			case 1:
				return append(local.FaultNames(), "off"), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			return here(c.ErrOrStderr(), func(h *local.Installation) error {
				text, err := h.Fail(c.Context(), args[0], strings.ToLower(args[1]))
				if err == nil {
					fmt.Fprintln(c.OutOrStdout(), text)
				}
				return err
			})
		},
	}
}
