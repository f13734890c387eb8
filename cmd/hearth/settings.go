package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/settings"
)

func settingsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "settings", Short: "what you decide about the house, hearth.yml: check",
		Long:    "What you decide about the house: hearth.yml, beside stack.yml.",
		Example: "hearth settings check",
	}
	c.AddCommand(settingsCheck())
	return c
}

func settingsCheck() *cobra.Command {
	c := &cobra.Command{
		Use: "check [FILE]", Short: "every mistake in hearth.yml, with line and column",
		Long:        "Print every mistake in hearth.yml, or in another file, with line and column, and what to write instead.",
		Example:     "hearth settings check hearth.example.yml",
		Annotations: map[string]string{command.Part: "the file has mistakes"},
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return inHouse(c.ErrOrStderr(), func(h *local.House) error {
			name := h.SettingsFile()
			if len(args) > 0 {
				name = args[0]
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			f := settings.Parse(b)
			mapping.Compile(f).CheckNames(f, f.Mistake)
			return mistakes(c.OutOrStdout(), name, f)
		})
	}
	return c
}

// mistakes prints what is wrong in a file, or what it holds where nothing is.
func mistakes(out io.Writer, name string, f *settings.File) error {
	wrong := 0
	for _, m := range f.Sorted() {
		kind := "warning: "
		if !m.Warning {
			kind, wrong = "", wrong+1
		}
		at, path := "", m.Path
		if m.Line > 0 {
			at = fmt.Sprintf(":%d:%d", m.Line, m.Column)
		}
		if path != "" {
			path += ": "
		}
		fmt.Fprintf(out, "%s%s: %s%s%s\n", name, at, kind, path, m.Text)
	}
	if wrong > 0 {
		many := fmt.Sprintf("%d mistakes", wrong)
		if wrong == 1 {
			many = "1 mistake"
		}
		return command.InPart(fmt.Errorf("%s has %s", name, many))
	}
	_, err := fmt.Fprintf(out, "%s is right: %s\n", name, strings.Join(contents(f), ", "))
	return err
}

// contents is what a file of settings holds.
func contents(f *settings.File) (out []string) {
	zone := "times in UTC, as house.zone is not given"
	if f.House.Zone != "" {
		zone = "times in " + string(f.House.Zone)
	}
	out = append(out, zone)
	for _, s := range []struct {
		name string
		n    int
	}{{"devices", len(f.Devices)}, {"rules", len(f.Rules)}, {"tiles", len(f.Tiles)}, {"reminders", len(f.Reminders)}, {"quiet hours", len(f.QuietHours)}} {
		if s.n > 0 {
			out = append(out, fmt.Sprintf("%s: %d", s.name, s.n))
		}
	}
	return out
}
