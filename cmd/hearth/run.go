package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/local/terminal"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/source"
)

func runCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "run FUNCTION", Short: "fetch from one source now and print the result",
		Long: `Fetch from one source now, store the result and print it. Numbers are printed as InfluxDB line protocol, other items one a line.

It works while hearth up is running, too. With --dry-run nothing is stored.`,
		Example:           "hearth run weather --dry-run",
		Annotations:       map[string]string{command.Part: "some of its targets failed"},
		ValidArgsFunction: completeNames(func(n local.Names) []string { return n.Sources }),
	}
	dry := c.Flags().Bool("dry-run", false, "fetch and decode, store nothing")
	asJSON := command.JSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			names, err := h.Names()
			if err != nil {
				return err
			}
			if err := checkSource(names, args[0]); err != nil {
				return err
			}
			a, err := h.RunOnce(c.Context(), args[0], *dry)
			if err != nil && *asJSON {
				return errors.Join(err, command.WriteJSON(c.OutOrStdout(), a)) // a script reads why it failed
			}
			if err != nil {
				return err
			}
			return answer(c.OutOrStdout(), a, *asJSON)
		})
	}
	return c
}

// answer prints a run's answer. It returns an error if targets failed.
func answer(out io.Writer, a source.Answer, asJSON bool) error {
	if asJSON {
		if err := command.WriteJSON(out, a); err != nil {
			return err
		}
	} else {
		show(out, a)
	}
	if a.Status == "partial" {
		return command.InPart(errors.New("some targets failed: " + strings.Join(a.Warnings, "; ")))
	}
	return nil
}

// show prints readings as line protocol, items as lines, and the rest as comments. What an
// upstream answered cannot control a terminal; in a pipe, the line protocol is exact.
func show(out io.Writer, a source.Answer) {
	for _, r := range a.Readings {
		line := r.Line()
		if terminal.Is(out) {
			line = printable.Line(line)
		}
		fmt.Fprintln(out, line)
	}
	for _, i := range a.Items {
		fmt.Fprintln(out, itemLine(i))
	}
	for _, w := range a.Warnings {
		fmt.Fprintln(out, "# warning:", printable.Line(w))
	}
	fmt.Fprintf(out, "# %s, %s\n", command.Count(len(a.Readings), "reading"), command.Count(len(a.Items), "item"))
	if a.Status != "dry_run" {
		fmt.Fprintf(out, "# %s: %d new, %d unchanged, %d ms\n", a.Status, a.Stored, a.Unchanged, a.TookMS)
	}
}

func itemLine(i item.Item) string {
	line := fmt.Sprintf("item %q %q", i.Key(), i.Title)
	if !i.At.IsZero() {
		line += " at=" + i.At.UTC().Format(time.RFC3339)
	}
	if i.URL != "" {
		line += fmt.Sprintf(" url=%q", i.URL)
	}
	for _, k := range slices.Sorted(maps.Keys(i.Attributes)) {
		line += fmt.Sprintf(" %s=%q", k, i.Attributes[k])
	}
	return line
}
