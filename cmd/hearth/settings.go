package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/page/glance"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/settings"
)

func settingsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "settings", Short: "your settings file, hearth.yml: check it, or export to it",
		Long:    "Your settings file: hearth.yml, beside stack.yml. It holds what you decide about the house: devices, rules, reminders, quiet hours, tiles.",
		Example: "hearth settings check",
	}
	c.AddCommand(settingsCheck(), settingsExport())
	return c
}

func settingsCheck() *cobra.Command {
	c := &cobra.Command{
		Use: "check [FILE]", Short: "every mistake in hearth.yml, with line and column",
		Long:        "Print every mistake in hearth.yml, or in another file, with line and column, and what to write instead.\n\nhearth.yml may name what a mapping declares that was saved on the page. Of another FILE only what stands in it is known.",
		Example:     "hearth settings check hearth.example.yml",
		Annotations: map[string]string{command.Part: "the file has mistakes"},
	}
	asJSON := command.JSON(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 { // it needs no repository
			return checkFile(c.OutOrStdout(), args[0], nil, *asJSON)
		}
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			saved, err := h.SavedMappings(c.Context())
			if err != nil {
				fmt.Fprintln(c.ErrOrStderr(), "what was saved on the page is not known:", err)
			}
			err = checkFile(c.OutOrStdout(), h.SettingsFile(), saved, *asJSON)
			if errors.Is(err, fs.ErrNotExist) {
				return errors.New("there is no hearth.yml yet: cp hearth.example.yml hearth.yml begins one")
			}
			return err
		})
	}
	return c
}

func settingsExport() *cobra.Command {
	c := &cobra.Command{
		Use: "export", Short: "what was saved on the page, to paste into hearth.yml",
		Long: `Print what people saved on the page as a section of hearth.yml: names and rooms of new devices, and mappings of topics.

Paste it into hearth.yml. What is there wins over what the page saved.`,
		Example: "hearth settings export",
		Args:    cobra.NoArgs,
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		return here(c.ErrOrStderr(), func(h *local.Installation) error {
			text, err := h.ExportSettings(c.Context())
			if err == nil && text == "" {
				text = "# nothing was saved on the page\n"
			}
			if err == nil {
				_, err = io.WriteString(c.OutOrStdout(), text)
			}
			return err
		})
	}
	return c
}

// checkFile checks a file, with the mappings that were saved on the page.
func checkFile(out io.Writer, name string, saved []string, asJSON bool) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f := settings.Parse(b)
	f.Saved = saved
	set := mapping.Compile(f)
	set.CheckNames(f, f.Mistake)
	rules.Compile(f, set.Measurements())
	glance.Check(f, set.Measurements())
	return report(out, name, f, asJSON)
}

// checked is the result of a check, as JSON.
type checked struct {
	File     string             `json:"file"`
	Good     bool               `json:"good"` // there are no mistakes; warnings leave it good
	Mistakes []settings.Mistake `json:"mistakes"`
}

// report prints what is wrong in a file, or what it holds where nothing is. It is an
// error where there are mistakes.
func report(out io.Writer, name string, f *settings.File, asJSON bool) error {
	found := checked{File: name, Mistakes: append([]settings.Mistake{}, f.Sorted()...)} // [], not null, if there are none
	wrong := 0
	for _, m := range found.Mistakes {
		if !m.Warning {
			wrong++
		}
	}
	found.Good = wrong == 0
	if asJSON {
		if err := command.WriteJSON(out, found); err != nil {
			return err
		}
	} else {
		found.write(out, f)
	}
	if wrong == 0 {
		return nil
	}
	return command.InPart(fmt.Errorf("%s has %s", name, command.Count(wrong, "mistake")))
}

// write prints a line for each mistake in the form of a compiler's.
func (c checked) write(out io.Writer, f *settings.File) {
	for _, m := range c.Mistakes {
		at, kind, path := "", "", m.Path
		if m.Warning {
			kind = "warning: "
		}
		if m.Line > 0 {
			at = fmt.Sprintf(":%d:%d", m.Line, m.Column)
		}
		if path != "" {
			path += ": "
		}
		fmt.Fprintf(out, "%s%s: %s%s%s\n", c.File, at, kind, path, m.Text)
	}
	if c.Good {
		verdict := "right"
		if n := len(c.Mistakes); n > 0 { // all are warnings
			verdict = "usable, with " + command.Count(n, "warning")
		}
		fmt.Fprintf(out, "%s is %s: %s\n", c.File, verdict, strings.Join(contents(f), ", "))
	}
}

// contents summarises a file of settings: its time zone, and how many entries each section
// has.
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
