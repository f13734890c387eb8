package main

import (
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadcmd"
	"github.com/hearth-home/hearth/local"
)

func deadCommand() *cobra.Command {
	return deadcmd.New("hearth", func(c *cobra.Command, do func(deadcmd.Connector) error) error {
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			address, token, err := h.Connector()
			if err != nil {
				return err
			}
			return do(deadcmd.Connector{Address: address, Token: token})
		})
	})
}
