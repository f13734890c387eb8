package main

import (
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadcmd"
	"github.com/hearth-home/hearth/local"
)

func deadCommand() *cobra.Command {
	c := deadcmd.New("hearth", func(c *cobra.Command, do func(deadcmd.Connector) error) error {
		find := here
		if c.Flag("at").Changed {
			find = anywhere
		}
		return find(c.ErrOrStderr(), func(h *local.Installation) (err error) {
			var to deadcmd.Connector
			if !c.Flag("at").Changed {
				if to.Address, err = h.Connector(); err != nil {
					return err
				}
			}
			to.Token, to.Kept = h.ConnectorToken()
			return do(to)
		})
	}, rejecters)
	c.PersistentFlags().Lookup("at").Usage = "`URL` of the connector's own port (default: that of hearth up, PORT+1)"
	return c
}

// rejecters returns the names of what may reject a message: the functions of the stack files,
// and the connector itself.
func rejecters() []string {
	root, err := local.FindRoot()
	if err != nil {
		return nil
	}
	names, _ := functionNames(root) // without a good stack.yml, those with dead letters are known
	return append(names, "connector")
}
