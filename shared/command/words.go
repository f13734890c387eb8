package command

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ordered finds the command that args name, and returns args with the command's words first:
// "settings --json check" becomes "settings check --json". A word that is no command is an
// error, whatever flags stand beside it: cobra would blame the flags of a misspelt command.
func ordered(root *cobra.Command, args []string) (*cobra.Command, []string, error) {
	if completes(args) {
		return root, args, nil
	}
	at, i := root, 0
	var words, flags []string
	for ; i < len(args) && at.HasSubCommands() && args[i] != "--"; i++ {
		if !strings.HasPrefix(args[i], "-") {
			sub := child(at, args[i])
			if sub == nil && takesArguments(at) {
				break
			}
			if sub == nil {
				return at, args, Unknown("command", args[i], names(at))
			}
			at, words = sub, append(words, args[i])
			continue
		}
		known, value := below(at, args[i])
		if !known {
			return at, args, nil // cobra names the flag
		}
		flags = append(flags, args[i])
		if value && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	return at, append(append(words, flags...), args[i:]...), nil
}

// completes reports whether args come from a shell that completes a word.
func completes(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

func child(c *cobra.Command, name string) *cobra.Command {
	for _, sub := range c.Commands() {
		if sub.Name() == name {
			return sub
		}
	}
	return nil
}

// below reports whether c or a command below it knows a flag, and whether the flag's value
// is the next argument.
func below(c *cobra.Command, arg string) (known, value bool) {
	name, _, given := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
	if name == "help" || arg == "-h" {
		return true, false
	}
	each(c, func(c *cobra.Command) {
		for _, fs := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags(), c.InheritedFlags()} {
			if f := fs.Lookup(name); f != nil && strings.HasPrefix(arg, "--") {
				known, value = true, f.NoOptDefVal == "" && !given
			}
		}
	})
	return known, value
}
