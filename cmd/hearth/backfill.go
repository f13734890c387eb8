package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/local/backfill"
	"github.com/hearth-home/hearth/local/terminal"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/config"
)

func backfillCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "backfill FUNCTION --from DAY", Short: "fetch a source's past values, from one day to another",
		Long: `Fetch a source's past values, from one day to another. hearth up must be running. Progress is a bar on a terminal, and otherwise one line for each call.

Only missing readings are stored, so it may be repeated. If it fails, it names the day to continue from.`,
		Example:           "hearth backfill treasuries --from 2020-01-01 --to 2024-12-31",
		Annotations:       map[string]string{command.Part: "some days failed; run it again"},
		ValidArgsFunction: completeNames(func(n local.Names) []string { return n.History }),
	}
	from := c.Flags().String("from", "", "first `DAY`, such as 2020-01-31 (or 2020-01-31T12:00:00Z)")
	to := c.Flags().String("to", "", "last `DAY` (default: today)")
	address := c.Flags().String("gateway", "", "`URL` of the gateway (default: that of hearth up)")
	c.RunE = func(c *cobra.Command, args []string) error {
		j := backfill.Job{Gateway: *address, Function: args[0]}
		var note string
		var err error
		if j.From, j.To, note, err = span(*from, *to, time.Now()); err != nil {
			return err
		}
		if err = checkGateway(*address); err != nil {
			return err
		}
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			names, err := h.Names()
			if err != nil {
				return err
			}
			if err := checkHistory(names, args[0]); err != nil {
				return err
			}
			if note != "" {
				fmt.Fprintln(c.ErrOrStderr(), note)
			}
			if j.Gateway == "" {
				if j.Gateway, err = h.GatewayURL(); err != nil {
					return err
				}
			}
			return fill(c, j)
		})
	}
	return c
}

// checkGateway returns an error of usage if the flag --gateway is no address.
func checkGateway(address string) error {
	if address == "" {
		return nil
	}
	if u, err := config.URL(address); err != nil || u.RawQuery != "" {
		return command.Wrong(errors.New("--gateway is no web address: write http://host:port"))
	}
	return nil
}

func fill(c *cobra.Command, j backfill.Job) error {
	out, notes := c.OutOrStdout(), c.ErrOrStderr()
	bar := &backfill.Bar{W: notes, Terminal: terminal.Is(notes), Name: j.Function}
	p, err := backfill.Run(c.Context(), j, bar.Show)
	bar.End()
	if p.Done == 1 || p.Stored+p.Unchanged > 0 {
		fmt.Fprintf(out, "%s: %d new, %d unchanged\n", j.Function, p.Stored, p.Unchanged)
	}
	if p.Done == 1 && p.Sample {
		fmt.Fprintf(out, "This was sample data. For real data set its key or LIVE=%s in .env.\n", j.Function)
	}
	if p.Done == 1 && err != nil {
		return command.InPart(err)
	}
	return err
}

// span parses the days of a backfill: the last is today in UTC, unless to says an earlier one.
// The note says if to was later.
func span(from, to string, now time.Time) (first, last time.Time, note string, err error) {
	if from == "" {
		return first, last, "", command.Wrong(errors.New("from which day? Add --from 2020-01-31"))
	}
	if first, err = moment("from", from); err != nil {
		return first, last, "", err
	}
	today := now.UTC().Truncate(24 * time.Hour)
	if last = today; to != "" {
		if last, err = moment("to", to); err != nil {
			return first, last, "", err
		}
	}
	switch {
	case first.After(now):
		err = command.Wrong(fmt.Errorf("--from %s is after today, %s", from, today.Format(time.DateOnly)))
	case last.Before(first.Truncate(24 * time.Hour)), len(to) > len(time.DateOnly) && last.Before(first): // a day is included
		err = command.Wrong(fmt.Errorf("--to %s is before --from %s", to, from))
	case !last.Before(today.AddDate(0, 0, 1)):
		note = fmt.Sprintf("--to %s is after today: it ends today, %s", to, today.Format(time.DateOnly))
		last = today
	}
	return first, last, note, err
}

// moment parses a day, or a time: a backfill may have stopped within a day.
func moment(name, v string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		t, err := time.Parse(layout, v)
		if err == nil && t.Year() < 1900 {
			return t, command.Wrong(fmt.Errorf("--%s %s is before 1900: no source is as old", name, v))
		}
		if err == nil {
			return t, nil
		}
	}
	return time.Time{}, command.Wrong(fmt.Errorf("--%s is %q: write a day such as 2024-01-31", name, v))
}
