// Package deadcmd is the commands for dead letters: it asks a running connector,
// which alone may touch its folder.
package deadcmd

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/command"
)

// New returns the command dead of the program called name. reach finds the connector
// when one of its commands runs, and calls do with it.
func New(name string, reach func(c *cobra.Command, do func(Connector) error) error) *cobra.Command {
	dead := &cobra.Command{
		Use: "dead", Short: "messages that a function rejected: list, show, replay, drop",
		Long:    "Dead letters: messages that a function rejected. The connector keeps them with their exact bytes and the reason, and must be running (hearth up starts it).",
		Example: name + " dead list --function sensors",
	}
	at := dead.PersistentFlags().String("at", "", "`URL` of the connector's own port (default: the one that LISTEN names)")
	with := func(do func(*cobra.Command, []string, Connector) error) func(*cobra.Command, []string) error {
		return func(c *cobra.Command, args []string) error {
			return reach(c, func(to Connector) error {
				if to.url = *at; to.url == "" {
					to.url = "http://" + local(to.Address)
				}
				return do(c, args, to)
			})
		}
	}
	for _, c := range []*cobra.Command{listCommand(with), showCommand(with), replayCommand(with), dropCommand(with)} {
		c.Example = name + " " + c.Example
		dead.AddCommand(c)
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
		}
		return list(c.OutOrStdout(), ds)
	})
	return c
}

func showCommand(with wrapped) *cobra.Command {
	c := &cobra.Command{
		Use: "show ID", Short: "one of them, with its payload", Example: "dead show m5k2x7-1",
		Long: "Show one dead letter, with its payload. On a terminal, control characters are replaced by ·; in a pipe or file you get the exact bytes.",
	}
	asJSON := command.JSON(c)
	c.RunE = with(func(c *cobra.Command, args []string, to Connector) error {
		ds, err := to.letters(c.Context(), "/dead/"+url.PathEscape(args[0]))
		switch {
		case err != nil:
			return err
		case *asJSON:
			return command.WriteJSON(c.OutOrStdout(), ds)
		}
		return show(c.OutOrStdout(), ds)
	})
	return c
}

func replayCommand(with wrapped) *cobra.Command {
	c := &cobra.Command{
		Use: "replay", Short: "deliver them to their function again, after a fix", Example: "dead replay --function sensors --topic 'tele/#'",
		Long: "Deliver the dead letters that match the flags to their function again, after a fix. Each keeps its id and time, and is removed once the function has stored it.",
	}
	picked := filters(c)
	c.RunE = with(func(c *cobra.Command, _ []string, to Connector) error { return to.order(c, "replay", picked()) })
	return c
}

func dropCommand(with wrapped) *cobra.Command {
	c := &cobra.Command{
		Use: "drop", Short: "delete them for good", Example: "dead drop --reason 'no mapping'",
		Long: "Delete the dead letters that match the flags, for good.",
	}
	picked := filters(c)
	c.RunE = with(func(c *cobra.Command, _ []string, to Connector) error {
		q := picked()
		if len(q) == 0 {
			return command.Wrong(errors.New("which dead letters? Pick some by a flag, or add --all"))
		}
		return to.order(c, "drop", q)
	})
	return c
}

// filters gives a command the flags that pick dead letters; what it returns is what
// the connector is asked.
func filters(c *cobra.Command) func() url.Values {
	q := url.Values{}
	c.Flags().String("function", "", "only those of the function `NAME`")
	c.Flags().String("topic", "", "only those whose topic matches `FILTER`, such as tele/#")
	c.Flags().String("reason", "", "only those whose reason contains `TEXT`")
	c.Flags().String("cause", "", "only those whose reason is exactly `TEXT`")
	c.Flags().String("id", "", "only the one with this `ID`")
	if c.Name() != "list" {
		c.Flags().Bool("all", false, "all of them")
	}
	return func() url.Values {
		c.Flags().Visit(func(f *pflag.Flag) {
			switch f.Name {
			case "function", "topic", "reason", "cause", "id", "all":
				q.Set(f.Name, f.Value.String())
			}
		})
		return q
	}
}

func list(out io.Writer, ds []deadletter.Letter) error {
	if len(ds) == 0 {
		_, err := fmt.Fprintln(out, "there are no dead letters")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tFUNCTION\tTOPIC\tCOUNT\tFIRST\tREASON")
	for _, d := range ds {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", d.ID, d.Function, tame(d.Topic), d.Count, d.First.Format(time.DateTime), tame(d.Reason))
	}
	return w.Flush()
}

// show prints letters whole. To a terminal their bytes must not steer it.
func show(out io.Writer, ds []deadletter.Letter) error {
	f, file := out.(*os.File)
	terminal := file && isatty.IsTerminal(f.Fd())
	for _, d := range ds {
		if err := showOne(out, d, terminal); err != nil {
			return err
		}
	}
	return nil
}

func showOne(out io.Writer, d deadletter.Letter, terminal bool) error {
	payload, size := string(d.Payload), fmt.Sprint(d.Size)
	if terminal {
		payload = tame(payload)
	}
	if d.Cut {
		size = fmt.Sprintf("the first %d of %d", len(d.Payload), d.Size)
	}
	_, err := fmt.Fprintf(out, "%s for %s on %s, %s bytes, refused %d times from %s to %s\n%s\n\n%s\n", d.ID, d.Function, tame(d.Topic), size, d.Count,
		d.First.Format(time.DateTime), d.Last.Format(time.DateTime), tame(d.Reason), payload)
	return err
}
