// Command hearth runs the whole platform on this machine. Its other commands work on the
// same installation; each has a file of its own here, and hearth help lists them.
package main

import (
	"io"
	"log/slog"
	"os"
	_ "time/tzdata" // schedules name zones

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/command"
)

func main() { command.Main(program()) }

// program returns hearth with all its commands, in the order of the help.
func program() *cobra.Command {
	up := upCommand()
	root := &cobra.Command{
		Use: "hearth", RunE: up.RunE,
		Long: "hearth is a home data platform made of OpenFaaS functions. Without a command it runs the whole platform on this machine, as hearth up does.",
	}
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"platform", "The platform", []*cobra.Command{up, gatewayCommand(), migrateCommand(), databaseCommand()}},
		{"sources", "Sources", []*cobra.Command{runCommand(), backfillCommand(), functionsCommand(), feedsCommand()}},
		{"messages", "Messages", []*cobra.Command{deviceCommand(), whyCommand(), deadCommand()}},
		{"house", "The house", []*cobra.Command{settingsCommand(), backtestCommand()}},
		{"development", "Development", []*cobra.Command{faultCommand(), docsCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	return command.Program(root)
}

// here opens the installation of the working directory and calls do. Logs go to logs. The
// platform's secrets are redacted in the error.
func here(logs io.Writer, do func(h *local.Installation) error) error {
	root, err := local.FindRoot()
	if err != nil {
		return err
	}
	return open(root, os.Environ(), logs, do)
}

// anywhere is here for a command that was given all that it needs. Outside of a repository
// it opens an empty installation, whose state is removed at the end.
func anywhere(logs io.Writer, do func(h *local.Installation) error) error {
	if _, err := local.FindRoot(); err == nil {
		return here(logs, do)
	}
	dir, err := os.MkdirTemp("", "hearth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return open(dir, append(os.Environ(), "HEARTH_DIR="+dir), logs, do)
}

// open opens the installation of root and calls do.
func open(root string, environ []string, logs io.Writer, do func(h *local.Installation) error) error {
	h, err := local.Open(root, environ, logs)
	if err != nil {
		return err
	}
	slog.SetDefault(h.Logger()) // for libraries that log
	if err := do(h); err != nil {
		return command.With(err, h.Redact(err.Error()))
	}
	return nil
}

// functionNames returns the names of the functions in the stack files.
func functionNames(root string) (out []string, err error) {
	fs, err := stack.Read(root, nil)
	for _, f := range fs {
		out = append(out, f.Name)
	}
	return out, err
}
