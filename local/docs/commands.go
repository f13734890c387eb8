package docs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/shared/command"
)

const commandsIntro = `<!-- Written by ` + "`make docs`" + ` from the commands themselves; changes here are lost. -->

# Commands

` + "`make up`" + ` and the other targets build the program ` + "`.bin/hearth`" + ` and call it. It works in the repository and in the folders below. To call it ` + "`hearth`" + `, as here, put it on your PATH: ` + "`ln -s $PWD/.bin/hearth ~/.local/bin/`" + `. Scripts call the program, too: make ends with 2 where a command ends with 1 or 3.

Results go to stdout, logs and errors to stderr (` + "`hearth up`" + ` and ` + "`hearth gateway`" + ` log to stdout). Progress is one line that changes on a terminal, and otherwise one line for each step.

`

const completionText = "## Completion\n\n```sh\n" +
	"source <(hearth completion bash)    # in ~/.bashrc; hearth completion zsh and fish write theirs\n" +
	"```\n\nThe tab key completes commands, flags, and the names of functions. `hearth-edge` and the connector's `mqtt` have it too.\n\n"

// Commands returns docs/commands.md for these programs. Commands that all programs have
// are described once, with the first.
func Commands(programs ...*cobra.Command) Page {
	var b bytes.Buffer
	b.WriteString(commandsIntro)
	exitCodes(&b, programs[0])
	fmt.Fprintf(&b, "## For scripts\n\n`--json` writes JSON: %s. Bytes, such as a message's payload, are in base64.\n\n", strings.Join(withJSON(programs[0]), ", "))
	b.WriteString(completionText)
	common := []string{"completion", "version", "help"}
	for i, root := range programs {
		fmt.Fprintf(&b, "## %s\n\n", root.Name())
		for _, c := range tree(root) {
			if i > 0 && slices.Contains(common, c.Name()) {
				continue
			}
			if c != root {
				fmt.Fprintf(&b, "### %s\n\n", c.CommandPath())
			}
			fmt.Fprintf(&b, "```text\n%s```\n\n", command.Help(c))
		}
	}
	b.WriteString("The connector's program, `mqtt` in its image, has the command `dead` with the same commands and flags.\n")
	return Page{"docs/commands.md", b.Bytes()}
}

// tree returns a command and all commands below it, in the order of the help.
func tree(c *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		out = append(out, tree(sub)...)
	}
	return out
}

// exitCodes writes the table of exit codes, with the commands that can end with Partly.
func exitCodes(b *bytes.Buffer, root *cobra.Command) {
	var partly []string
	for _, c := range tree(root) {
		if why := c.Annotations[command.Part]; why != "" {
			partly = append(partly, fmt.Sprintf("`%s` (%s)", c.CommandPath(), why))
		}
	}
	fmt.Fprintf(b, "## Exit codes\n\n| code | meaning |\n| --- | --- |\n| %d | done |\n| %d | it failed: what was tried and why is on stderr (`stopped` after Ctrl-C) |\n", command.Done, command.Failed)
	fmt.Fprintf(b, "| %d | wrong usage: nothing was done |\n| %d | done in part, or mistakes were found: %s |\n\n", command.Misuse, command.Partly, strings.Join(partly, ", "))
}

// withJSON returns the commands with the flag --json.
func withJSON(root *cobra.Command) (out []string) {
	for _, c := range tree(root) {
		if c.Flags().Lookup("json") != nil {
			out = append(out, "`"+c.CommandPath()+"`")
		}
	}
	return out
}
