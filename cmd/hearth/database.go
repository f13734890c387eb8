package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

func databaseCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "database", Short: "the database in the state folder: salvage",
		Long:    "The database of hearth up: hearth.db in the state folder, .hearth or HEARTH_DIR.",
		Example: "hearth database salvage",
	}
	c.AddCommand(databaseSalvage())
	return c
}

func databaseSalvage() *cobra.Command {
	c := &cobra.Command{
		Use: "salvage", Short: "copy what can be read of a damaged database to a new one",
		Long: `Copy all rows of a damaged database that can be read to a new one, which hearth up then uses, and print how many of each table. The damaged file is kept beside it under another name. A database without damage is left as it is.

Stop hearth up first. It needs room for two copies. SQLite has no checksums: a wrong byte within a row may be copied.`,
		Example:     "hearth database salvage",
		Annotations: map[string]string{command.Part: "some rows could not be read"},
	}
	asJSON := command.JSON(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			got, kept, err := h.Salvage(c.Context())
			if err != nil {
				return err
			}
			if *asJSON {
				err = command.WriteJSON(c.OutOrStdout(), salvagedOf(got, kept))
			} else {
				printSalvaged(c.OutOrStdout(), got, kept)
			}
			if err == nil && got.Gaps() > 0 {
				err = command.InPart(fmt.Errorf("in %s rows could not be read", command.Count(got.Gaps(), "place")))
			}
			return err
		})
	}
	return c
}

// salvaged is the result of salvage, as JSON.
type salvaged struct {
	Kept   string           `json:"kept"` // the damaged file; "": there was no damage
	Rows   int64            `json:"rows"` // copied
	Tables map[string]int64 `json:"tables"`
	Gaps   int              `json:"gaps"` // places where rows could not be read
}

// salvagedOf returns the result for JSON: {}, not null, if no table was copied.
func salvagedOf(got sqlite.Salvaged, kept string) salvaged {
	out := salvaged{Kept: kept, Rows: got.Total(), Tables: map[string]int64{}, Gaps: got.Gaps()}
	maps.Copy(out.Tables, got.Rows)
	return out
}

func printSalvaged(out io.Writer, got sqlite.Salvaged, kept string) {
	if kept == "" {
		fmt.Fprintln(out, "the database is good: nothing was changed")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(got.Rows)) {
		lost := ""
		if n := got.Broken[name]; n > 0 {
			lost = ", and " + command.Count(n, "place") + " that cannot be read"
		}
		if got.Rows[name] > 0 || lost != "" {
			fmt.Fprintf(out, "%-14s %s%s\n", name, command.Count(int(got.Rows[name]), "row"), lost)
		}
	}
	fmt.Fprintf(out, "%s copied; the damaged database is kept as %s\n", command.Count(int(got.Total()), "row"), kept)
}
