// Package deadcmd is the commands for dead letters: it asks a running connector,
// which alone may touch its folder.
package deadcmd

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/printable"
)

// New returns the command dead of the program called name. reach finds the connector
// when one of its commands runs, and calls do with it. functions returns the names that a
// function may have beside those with dead letters; it may be nil.
func New(name string, reach func(c *cobra.Command, do func(Connector) error) error, functions func() []string) *cobra.Command {
	dead := &cobra.Command{
		Use: "dead", Short: "messages that a function rejected: list, show, replay, drop",
		Long:    "Dead letters: messages that a function rejected. The connector keeps them with their exact bytes and the reason, and must be running (hearth up starts it).",
		Example: name + " dead list --function sensors",
	}
	at := dead.PersistentFlags().String("at", "", "`URL` of the connector's own port (default: the one that LISTEN names)")
	connect := func(c *cobra.Command, do func(Connector) error) error {
		address, err := checkedAddress(*at)
		if err != nil {
			return command.Wrong(err)
		}
		return reach(c, func(to Connector) error {
			if to.url = address; to.url == "" {
				to.url = "http://" + local(to.Address)
			}
			if err := to.mayAsk(); err != nil {
				return err
			}
			return do(to)
		})
	}
	with := func(do func(*cobra.Command, []string, Connector) error) func(*cobra.Command, []string) error {
		return func(c *cobra.Command, args []string) error {
			if err := checkFilters(c); err != nil {
				return command.Wrong(err)
			}
			return connect(c, func(to Connector) error {
				if err := to.checkFunction(c, functions); err != nil {
					return err
				}
				return do(c, args, to)
			})
		}
	}
	for _, c := range []*cobra.Command{listCommand(with), showCommand(with), replayCommand(with), dropCommand(with)} {
		c.Example = name + " " + c.Example
		dead.AddCommand(c)
		complete(c, connect, functions)
	}
	return dead
}

// wrapped makes what needs a connector a command's RunE.
type wrapped func(do func(*cobra.Command, []string, Connector) error) func(*cobra.Command, []string) error

func listCommand(with wrapped) *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "one line each, with the reason", Example: "dead list --function sensors",
		Long: "List the dead letters that match the flags, or all without flags: one line each, with the reason.",
	}
	picked, asJSON := filters(c), command.JSON(c)
	c.RunE = with(func(c *cobra.Command, _ []string, to Connector) error {
		ds, err := to.letters(c.Context(), "/dead?"+picked().Encode())
		switch {
		case err != nil:
			return err
		case *asJSON:
			return command.WriteJSON(c.OutOrStdout(), append([]deadletter.Letter{}, ds...)) // [] where there are none
		case len(ds) == 0:
			return to.none(c)
		}
		return list(c.OutOrStdout(), ds)
	})
	return c
}

func showCommand(with wrapped) *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Short: "one of them, with its payload", Example: "dead show dn5tewz6dyug",
		Long: "Show one dead letter, with its payload. On a terminal, control and format characters other than line breaks and tabs are replaced by ·; in a pipe or file you get the exact bytes.",
	}
	function := c.Flags().String("function", "", "the one of the function `NAME`, if several rejected the message")
	asJSON := command.JSON(c)
	c.RunE = with(func(c *cobra.Command, args []string, to Connector) error {
		d, err := to.letter(c.Context(), args[0], *function)
		switch {
		case err != nil:
			return err
		case *asJSON:
			return command.WriteJSON(c.OutOrStdout(), d)
		}
		return show(c.OutOrStdout(), c.ErrOrStderr(), d)
	})
	return c
}

func replayCommand(with wrapped) *cobra.Command {
	c := &cobra.Command{
		Use: "replay", Short: "deliver them to their function again, after a fix", Example: "dead replay --function sensors --topic 'tele/#'",
		Long: "Deliver the dead letters that match the flags to their function again, after a fix. Each keeps its id and time, and is removed once the function has stored it. What it rejects again is printed with the reason. Pick them by a flag, or all with --all.",
	}
	picked := filters(c)
	wait := c.Flags().Duration("wait", 10*time.Second, "wait up to this `TIME` for what becomes of them, 0s to 30s (default: 10s)")
	asJSON := command.JSON(c)
	c.RunE = with(func(c *cobra.Command, _ []string, to Connector) error {
		q := picked()
		if *wait > 0 {
			q.Set("wait", wait.String())
		}
		return to.order(c, "replay", q, *asJSON)
	})
	return c
}

func dropCommand(with wrapped) *cobra.Command {
	c := &cobra.Command{
		Use: "drop", Short: "delete them for good", Example: "dead drop --reason 'no mapping'",
		Long: "Delete the dead letters that match the flags, for good. Pick them by a flag, or all with --all.",
	}
	picked, asJSON := filters(c), command.JSON(c)
	c.RunE = with(func(c *cobra.Command, _ []string, to Connector) error { return to.order(c, "drop", picked(), *asJSON) })
	return c
}

func list(out io.Writer, ds []deadletter.Letter) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tFUNCTION\tTOPIC\tCOUNT\tFIRST\tREASON")
	for _, d := range ds {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", printable.Line(d.ID), printable.Line(d.Function), printable.Line(d.Topic), d.Count, d.First.Format(time.DateTime), printable.Line(d.Reason))
	}
	return w.Flush()
}

// show prints a letter's payload to out, and what else is known of it to errs. To a terminal
// the payload must not control it; elsewhere it is exact.
func show(out, errs io.Writer, d deadletter.Letter) error {
	f, ok := out.(interface{ Fd() uintptr })
	return showTo(out, errs, d, ok && isatty.IsTerminal(f.Fd()))
}

func showTo(out, errs io.Writer, d deadletter.Letter, terminal bool) error {
	size, times := fmt.Sprint(d.Size), fmt.Sprintf("%d times, from %s to %s", d.Count, d.First.Format(time.DateTime), d.Last.Format(time.DateTime))
	if d.Cut {
		size = fmt.Sprintf("the first %d of %d", len(d.Payload), d.Size)
	}
	if d.Count == 1 {
		times = "once, " + d.Last.Format(time.DateTime)
	}
	fmt.Fprintf(errs, "%s for %s on %s, %s bytes, rejected %s\n%s\n\n", printable.Line(d.ID), printable.Line(d.Function), printable.Line(d.Topic), size, times, printable.Line(d.Reason))
	if terminal {
		_, err := fmt.Fprintln(out, printable.Text(string(d.Payload)))
		return err
	}
	_, err := out.Write(d.Payload)
	return err
}
