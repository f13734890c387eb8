package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/store"
)

func functionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "functions", Short: "the functions that have run here: list, forget",
		Long:    "hearth shows every function that ran here, and marks it on the page when a run is overdue, until you forget it.",
		Example: "hearth functions list",
	}
	c.AddCommand(functionsList(), functionsForget())
	return c
}

func functionsList() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "each function with its schedule and when it was last seen",
		Example: "hearth functions list --json",
	}
	asJSON := command.JSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			fs, err := h.Functions(c.Context())
			switch {
			case err != nil:
				return err
			case *asJSON:
				return command.WriteJSON(c.OutOrStdout(), listed(fs))
			}
			return functionTable(c.OutOrStdout(), fs)
		})
	}
	return c
}

// known is a function as JSON for scripts.
type known struct {
	Name          string    `json:"name"`
	Schedule      string    `json:"schedule"`       // cron expression; "": it has none
	PeriodSeconds int64     `json:"period_seconds"` // between two runs; 0: it has no schedule
	Version       string    `json:"version"`
	Configured    bool      `json:"configured"` // false: its key is missing
	LastSeen      time.Time `json:"last_seen"`
}

// listed returns the functions for JSON: [], not null, if there are none.
func listed(fs []store.Function) []known {
	out := []known{}
	for _, f := range fs {
		out = append(out, known{f.Name, f.Schedule, int64(f.Period / time.Second), f.Version, f.Configured, f.LastSeen})
	}
	return out
}

func functionTable(out io.Writer, fs []store.Function) error {
	if len(fs) == 0 {
		_, err := fmt.Fprintln(out, "no function has run yet: hearth up runs them")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FUNCTION\tSCHEDULE\tLAST SEEN\tCONFIGURED\tVERSION")
	for _, f := range fs {
		configured := "yes"
		if !f.Configured {
			configured = "no"
		}
		schedule, version := f.Schedule, f.Version
		for _, s := range []*string{&schedule, &version} {
			if *s == "" {
				*s = "-"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Name, schedule, f.LastSeen.Local().Format(time.DateTime), configured, version)
	}
	return w.Flush()
}

func functionsForget() *cobra.Command {
	return &cobra.Command{
		Use: "forget NAME", Short: "stop showing and watching a function that you removed",
		Long:              "Stop showing and watching a function that you removed. Its data stays. If it runs again, it is shown again.",
		Example:           "hearth functions forget weather",
		ValidArgsFunction: completeKnown,
		RunE: func(c *cobra.Command, args []string) error {
			return here(c.ErrOrStderr(), func(h *local.Installation) error {
				if err := h.Forget(c.Context(), args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.OutOrStdout(), "%s is forgotten; if it runs again, it is shown again\n", args[0])
				return err
			})
		},
	}
}

// completeKnown completes the name of a function that the database knows.
func completeKnown(c *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
	if len(args) == 0 {
		_ = here(io.Discard, func(h *local.Installation) error { // without a database there is nothing to complete
			fs, err := h.Functions(c.Context())
			for _, f := range fs {
				names = append(names, f.Name)
			}
			return err
		})
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
