package command

import (
	"bytes"
	_ "embed"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:embed words.bash
var bashWords string

func completionCommand(root *cobra.Command) *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	name := root.Name()
	c := &cobra.Command{
		Use: "completion SHELL", Short: "a script that completes commands in bash, zsh or fish", ValidArgs: shells,
		Long: "A script for your shell, which is bash, zsh or fish: the tab key then completes commands, flags and names.",
		Example: strings.ReplaceAll(`source <(NAME completion bash)  # in ~/.bashrc
NAME completion zsh > "${fpath[1]}/_NAME"
NAME completion fish > ~/.config/fish/completions/NAME.fish`, "NAME", name),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			switch args[0] {
			case "bash":
				return bash(out, root)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return Unknown("shell", args[0], shells)
		},
	}
	if len(root.Groups()) > 0 {
		c.GroupID = about
	}
	return c
}

// bash writes cobra's script, which needs the package bash-completion to read the words of the
// line. A Mac has none: words.bash reads them then.
func bash(out io.Writer, root *cobra.Command) error {
	var script bytes.Buffer
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	script.WriteString(strings.ReplaceAll(bashWords, "NAME", root.Name()))
	_, err := script.WriteTo(out)
	return err
}

// value is the annotation of a flag that names its value, as in --from DAY.
const value = "value"

// completeNoFiles keeps the shells from offering files for arguments and flags, unless
// these are a FILE. The flags' descriptions lose the quotes that name the value: shells show
// them too.
func completeNoFiles(c *cobra.Command) {
	if c.ValidArgsFunction == nil && c.ValidArgs == nil && !strings.Contains(c.Use, "FILE") {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[value] == nil {
			named, about := pflag.UnquoteUsage(f)
			f.Usage = about
			if f.Annotations == nil {
				f.Annotations = map[string][]string{}
			}
			f.Annotations[value] = []string{named}
		}
		if _, own := c.GetFlagCompletionFunc(f.Name); !own && f.Annotations[value][0] != "FILE" {
			_ = c.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions) // fails if it has one
		}
	})
}

// described returns the name of a flag's value, "" for a switch, and what the flag does.
func described(f *pflag.Flag) (named, about string) {
	if v := f.Annotations[value]; v != nil {
		return v[0], f.Usage
	}
	return pflag.UnquoteUsage(f)
}
