package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/local/terminal"
	"github.com/hearth-home/hearth/shared/backtest"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/printable"
)

const fewMessages = 30 // that are printed without --all

func backtestCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "backtest --from DAY", Short: "which messages rules would have sent in the past",
		Long: `Run the rules of hearth.yml over the stored readings of a span, and those of another file beside them, and print which messages they would have sent: by rule, and one by one. Nothing is written or sent; hearth up may be running.

Rules about values, silence and values that do not change are run. The others judge what is not stored; they are listed at the end. Devices count as being where they are now, and nobody silences or acknowledges anything.`,
		Example: "hearth backtest --rules new.yml --from 2026-10-01 --to 2026-10-31",
		Args:    cobra.NoArgs,
	}
	rules := c.Flags().String("rules", "", "another `FILE` like hearth.yml, to compare with it")
	from := c.Flags().String("from", "", "first `DAY`, such as 2026-01-31 (or 2026-01-31T12:00:00Z)")
	to := c.Flags().String("to", "", "last `DAY` (default: today)")
	all := c.Flags().Bool("all", false, fmt.Sprintf("print more than %d messages", fewMessages))
	asJSON := command.JSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		now := time.Now()
		first, last, note, err := span(*from, *to, now)
		if err != nil {
			return err
		}
		if last = last.Truncate(24*time.Hour).AddDate(0, 0, 1); last.After(now) {
			last = now
		}
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			if note != "" {
				fmt.Fprintln(c.ErrOrStderr(), note)
			}
			b, err := h.Backtest(c.Context(), *rules, first, last, shower(c.ErrOrStderr(), first, last))
			if err != nil {
				return err
			}
			if *asJSON {
				return command.WriteJSON(c.OutOrStdout(), b)
			}
			printBacktest(c.OutOrStdout(), b, *rules, *all)
			return nil
		})
	}
	return c
}

// shower returns a function that shows progress on a terminal.
func shower(w io.Writer, from, to time.Time) func(backtest.Progress) {
	if !terminal.Is(w) {
		return func(backtest.Progress) {}
	}
	return func(p backtest.Progress) {
		done := float64(p.At.Sub(from)) / float64(to.Sub(from))
		fmt.Fprintf(w, "\r%3.0f%%  %s  %d readings", 100*done, p.At.UTC().Format(time.DateOnly), p.Readings)
		if !p.At.Before(to) {
			fmt.Fprintln(w)
		}
	}
}

// printBacktest prints what the rules would have sent.
func printBacktest(w io.Writer, b local.Backtest, file string, all bool) {
	result, name := b.Today, "hearth.yml"
	if b.Other == nil {
		fmt.Fprintf(w, "hearth.yml: %s\n", command.Count(b.Today.Sent, "message"))
	} else {
		result, name = *b.Other, file
		fmt.Fprintf(w, "%s: %s instead of %d\n", file, command.Count(b.Other.Sent, "message"), b.Today.Sent)
	}
	printCounts(w, b, file)
	if len(result.Messages) > 0 {
		fmt.Fprintf(w, "\nMessages with %s:\n", name)
	}
	for i, m := range result.Messages {
		if i == fewMessages && !all {
			fmt.Fprintf(w, "and %s: --all prints them\n", command.Count(len(result.Messages)-i, "other message"))
			break
		}
		lines := strings.SplitN(m.Text, "\n", 3)
		fmt.Fprintf(w, "%s  %s\n", m.At.In(b.Zone).Format("2006-01-02 15:04"), printable.Line(strings.Join(lines[:min(2, len(lines))], ". ")))
	}
	if len(b.NotReplayable) > 0 {
		fmt.Fprintf(w, "\nNot replayable, as they judge what is not stored: %s\n", strings.Join(b.NotReplayable, ", "))
	}
}

// printCounts prints how many messages each rule would have sent.
func printCounts(w io.Writer, b local.Backtest, file string) {
	of := maps.Clone(b.Today.Of)
	if b.Other != nil {
		maps.Copy(of, b.Other.Of)
	}
	if len(of) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nRULE\tHEARTH.YML")
	if b.Other != nil {
		fmt.Fprintf(t, "\t%s", strings.ToUpper(printable.Line(file)))
	}
	fmt.Fprintln(t)
	for _, name := range slices.Sorted(maps.Keys(of)) {
		fmt.Fprintf(t, "%s\t%d", name, b.Today.Of[name])
		if b.Other != nil {
			fmt.Fprintf(t, "\t%d", b.Other.Of[name])
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}
