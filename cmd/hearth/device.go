package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/topic"
)

func deviceCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "device TOPIC", Short: "what is published at a topic, and how to map it; forget devices",
		Long: `Subscribe to a topic or filter at the broker, print the messages, and propose the lines for hearth.yml that map them to a device.

It ends after 30 s (see --for), on Ctrl-C, or earlier: for one topic at its first message, for a filter when no new topic came for 10 s.`,
		Example: "hearth device 'tele/#' --for 1m",
	}
	span := c.Flags().Duration("for", 30*time.Second, "listen for at most this `TIME`, such as 30s or 5m (default: 30s)")
	asJSON := command.JSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := topic.Check(args[0]); err != nil {
			return command.Wrong(err)
		}
		if *span <= 0 {
			return command.Wrong(fmt.Errorf("--for is %s: write a time above 0, such as 30s", *span))
		}
		find := here
		if os.Getenv("MQTT_URL") != "" {
			find = anywhere
		}
		return find(c.ErrOrStderr(), func(h *local.Installation) error { return listenTo(c, h, args[0], *span, *asJSON) })
	}
	c.AddCommand(deviceForget())
	return c
}

func listenTo(c *cobra.Command, h *local.Installation, filter string, span time.Duration, asJSON bool) error {
	out, notes := c.OutOrStdout(), c.OutOrStdout()
	if asJSON {
		notes = c.ErrOrStderr()
	}
	set, err := h.Mapped(c.Context())
	if err != nil {
		fmt.Fprintln(notes, "# hearth.yml has mistakes:", err)
	}
	received, err := h.Listen(c.Context(), filter, span, func(broker string) {
		fmt.Fprintf(notes, "# listening at %s to %s for up to %s; Ctrl-C ends it earlier\n", broker, filter, span)
	})
	switch {
	case err != nil:
		return err
	case asJSON:
		return command.WriteJSON(out, received.Report(set))
	}
	return received.Write(out, set)
}
