package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// width is that of the help, in columns.
const width = 78

// Part is the annotation of a command that can end with the code Partly: what that
// means.
const Part = "part"

func helpCommand(root *cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: "help [COMMAND...]", Short: "what a command does, with an example", Example: root.Name() + " help version",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			at, _, err := root.Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return names(at), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			at := root
			for i, word := range args {
				sub := child(at, word)
				switch {
				case sub == nil && !at.HasSubCommands():
					return Wrong(fmt.Errorf("%s has no commands of its own: %q", path(at), args[i:]))
				case sub == nil:
					return Unknown("command", word, names(at))
				}
				at = sub
			}
			_, err := fmt.Fprint(c.OutOrStdout(), Help(at))
			return err
		},
	}
	if len(root.Groups()) > 0 {
		c.GroupID = about
	}
	return c
}

// helpLine is the command that shows the help of c.
func helpLine(root, c *cobra.Command) string {
	if c == root || c.Name() == "help" {
		return root.Name() + " help"
	}
	return root.Name() + " help " + path(c)
}

// Help is what a command's help shows, in lines of at most 80 columns.
func Help(c *cobra.Command) string {
	var b strings.Builder
	text := c.Long
	if text == "" {
		text = sentence(c.Short)
	}
	fmt.Fprintf(&b, "%s\n\nUsage: %s\n", wrap(text, 0), usage(c))
	commands(&b, c)
	flags(&b, c)
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExample:\n")
		for line := range strings.SplitSeq(c.Example, "\n") {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	if !c.HasParent() {
		ending(&b, c)
	} else if part := c.Annotations[Part]; part != "" {
		fmt.Fprintf(&b, "\n%s\n", wrap(fmt.Sprintf("Exit code %d: %s.", Partly, part), 0))
	}
	return b.String()
}

// ending is what the help of a program ends with.
func ending(b *strings.Builder, root *cobra.Command) {
	fmt.Fprintf(b, "\n%s help COMMAND shows a command's flags and an example.\n", root.Name())
	fmt.Fprintf(b, "Exit codes: %d done, %d failed, %d wrong usage", Done, Failed, Misuse)
	part := false
	each(root, func(c *cobra.Command) { part = part || c.Annotations[Part] != "" })
	if part {
		fmt.Fprintf(b, ", %d done in part or mistakes found", Partly)
	}
	b.WriteString(".\n")
}

func usage(c *cobra.Command) string {
	line := c.UseLine() // with [flags] where there are some
	switch {
	case !c.HasParent():
		return c.Name() + " [COMMAND]"
	case c.HasSubCommands() && takesArguments(c):
		return line + "\n       " + c.CommandPath() + " COMMAND"
	case c.HasSubCommands():
		return c.CommandPath() + " COMMAND"
	case !shown(c):
		return strings.TrimSuffix(line, " [flags]")
	}
	return line
}

// commands are those below c, by group.
func commands(b *strings.Builder, c *cobra.Command) {
	groups := c.Groups()
	if len(groups) == 0 {
		groups = []*cobra.Group{{Title: "Commands"}}
	}
	longest := 0
	for _, name := range names(c) {
		longest = max(longest, len(name))
	}
	for _, g := range groups {
		first := true
		for _, sub := range c.Commands() {
			if sub.Hidden || sub.GroupID != g.ID {
				continue
			}
			if first {
				fmt.Fprintf(b, "\n%s:\n", g.Title)
				first = false
			}
			fmt.Fprintf(b, "  %-*s  %s\n", longest, sub.Name(), sub.Short)
		}
	}
}

// shown reports whether a command has flags to list.
func shown(c *cobra.Command) (any bool) {
	visit(c, func(*pflag.Flag) { any = true })
	return any
}

// visit calls do for the flags of a command and those that it has from above.
func visit(c *cobra.Command, do func(*pflag.Flag)) {
	for _, fs := range []*pflag.FlagSet{c.LocalFlags(), c.InheritedFlags()} {
		fs.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" {
				do(f)
			}
		})
	}
}

func flags(b *strings.Builder, c *cobra.Command) {
	if !shown(c) {
		return
	}
	b.WriteString("\nFlags:\n")
	var left, right []string
	longest := 0
	visit(c, func(f *pflag.Flag) {
		value, about := described(f)
		name := strings.TrimSpace("--" + f.Name + " " + value)
		left, right, longest = append(left, name), append(right, about), max(longest, len(name))
	})
	for i, name := range left {
		for line := range strings.SplitSeq(wrap(right[i], longest+4), "\n") {
			fmt.Fprintf(b, "  %-*s  %s\n", longest, name, line)
			name = ""
		}
	}
}

// wrap breaks the lines of a text so that they fit beside indent columns. Paragraphs
// stay apart, and lines that begin with a space stay as they are.
func wrap(text string, indent int) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if strings.HasPrefix(line, " ") {
			out = append(out, line)
			continue
		}
		now := ""
		for word := range strings.FieldsSeq(line) {
			if now != "" && len([]rune(now))+1+len([]rune(word)) > width-indent {
				out, now = append(out, now), ""
			}
			now = strings.TrimSpace(now + " " + word)
		}
		out = append(out, now)
	}
	return strings.Join(out, "\n")
}

// sentence makes a line of its own out of a command's short description.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
