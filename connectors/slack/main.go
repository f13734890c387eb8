// Command slack carries the buttons and commands of Slack to the function alert-deadlines,
// by Socket Mode: without a public address.
//
//	slack   run
//
// Settings come from the environment: docs/alerts.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/slack/relay"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/folder"
	"github.com/hearth-home/hearth/shared/spool"
)

func main() { command.Main(program()) }

func program() *cobra.Command {
	return command.Program(&cobra.Command{
		Use:  "slack",
		Long: "slack is hearth's Slack connector: it carries the buttons of messages and the command /hearth to the function alert-deadlines, by Socket Mode. Settings come from the environment: docs/alerts.md.",
		RunE: func(c *cobra.Command, _ []string) error {
			env := config.Process()
			if err := run(c.Context(), env); err != nil {
				return command.With(err, env.Secrets.Redact(err.Error()))
			}
			return nil
		},
	})
}

func run(ctx context.Context, env config.Env) error {
	c, err := config.Parse[relay.Config](env)
	if err != nil {
		return err
	}
	r, err := relay.New(ctx, c, relay.Options{Log: env.Log, Now: time.Now, Redact: env.Secrets.Brief})
	if errors.Is(err, spool.ErrLocked) {
		return fmt.Errorf("%w: stop the other connector, or name another folder with DATA_DIR", err)
	}
	if err != nil {
		return folder.Explain(err, "DATA_DIR", c.Dir)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("LISTEN: %w", err)
	}
	srv := &http.Server{Handler: r.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	err = r.Run(ctx)
	last, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = srv.Shutdown(last) // what is left is cut
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
