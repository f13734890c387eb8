package command

import (
	"strings"

	"github.com/spf13/cobra"
)

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
				return root.GenBashCompletionV2(out, true)
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
