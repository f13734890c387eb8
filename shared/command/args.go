package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/printable"
)

// Unknown says that a name is not known and which one is near, or which there are.
// what is its kind: "command".
func Unknown(what, name string, known []string) error {
	if n := nearest.Of(name, known); n != "" {
		return Wrong(fmt.Errorf("unknown %s %q: did you mean %q?", what, name, n))
	}
	return Wrong(fmt.Errorf("unknown %s %q: there are %s", what, name, list(known)))
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return printable.Line(strings.Join(names, ", "))
}

// names are those of the commands below c.
func names(c *cobra.Command) (out []string) {
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			out = append(out, sub.Name())
		}
	}
	return out
}

// arguments checks what a command was given by its Use line: a word is one
// argument, one in brackets may be left out, and one that ends in ... may come again. What
// follows from a flag on is for the reader.
func arguments(c *cobra.Command, args []string) error {
	if c.HasSubCommands() && !takesArguments(c) {
		if len(args) > 0 {
			return Unknown("command", args[0], names(c))
		}
		return nil
	}
	words := strings.Fields(c.Use)[1:]
	if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "-") }); i >= 0 {
		words = words[:i]
	}
	for i, word := range words {
		if strings.HasPrefix(word, "[") && i < len(args) && args[i] == "" {
			return Wrong(fmt.Errorf("%s: %s is empty: leave it out, or name one", path(c), strings.Trim(word, "[.]")))
		}
		switch {
		case strings.HasSuffix(strings.TrimSuffix(word, "]"), "...") && (len(args) > i || word[0] == '['):
			return nil
		case i >= len(args) && !strings.HasPrefix(word, "["), i < len(args) && args[i] == "":
			return Wrong(fmt.Errorf("%s needs %s, as in: %s", path(c), strings.Trim(word, "[.]"), example(c)))
		}
	}
	switch {
	case len(args) <= len(words):
		return nil
	case len(words) == 0:
		return Wrong(fmt.Errorf("%s takes no arguments: %s", path(c), quoted(args)))
	}
	return Wrong(fmt.Errorf("too many arguments: %s", quoted(args[len(words):])))
}

// takesArguments reports whether the Use line of c has arguments. A command with commands
// below it may take some, too: the name of a command comes first.
func takesArguments(c *cobra.Command) bool {
	words := strings.Fields(c.Use)
	return len(words) > 1 && !strings.HasPrefix(words[1], "-")
}

// filled returns an error if a flag was given an empty text, or twice: of two values, one
// would be ignored, and the command would do something else than was meant.
func filled(c *cobra.Command, _ []string) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if n, ok := f.Value.(*counted); err == nil && ok && n.times > 1 {
			err = Wrong(fmt.Errorf("--%s is given more than once: give it once", f.Name))
		}
		if err == nil && f.Value.Type() == "string" && f.Value.String() == "" {
			err = Wrong(fmt.Errorf("--%s is empty: leave it out, or give it a value", f.Name))
		}
	})
	return err
}

// counted is the value of a flag, and how often it was given.
type counted struct {
	pflag.Value
	times int
}

func (c *counted) Set(value string) error {
	c.times++
	return c.Value.Set(value)
}

// count lets filled know how often a flag was given. A switch may be repeated.
func count(f *pflag.Flag) {
	if _, done := f.Value.(*counted); !done && f.Value.Type() != "bool" {
		f.Value = &counted{Value: f.Value}
	}
}

func quoted(args []string) string {
	var out []string
	for _, arg := range args {
		out = append(out, fmt.Sprintf("%q", arg))
	}
	return strings.Join(out, ", ")
}

// path is the command as it is called, without the program.
func path(c *cobra.Command) string {
	if !c.HasParent() {
		return c.Name()
	}
	return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
}

// example is the first line of the command's example.
func example(c *cobra.Command) string {
	line, _, _ := strings.Cut(c.Example, "\n")
	line, _, _ = strings.Cut(line, "  #")
	return strings.TrimSpace(line)
}

// wrongFlag names the flag that may be meant.
func wrongFlag(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		return wrongValue(value)
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return Wrong(err)
	}
	name, dashes := unknown.GetSpecifiedName(), "--"
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		name, dashes = group, "-"
	}
	if below := having(c, name); len(below) > 0 {
		return Wrong(fmt.Errorf("unknown flag %s%s: it is one of %s", dashes, name, strings.Join(below, ", ")))
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if n := nearest.Of(name, known); n != "" {
		return Wrong(fmt.Errorf("unknown flag %s%s: did you mean --%s?", dashes, name, n))
	}
	return Wrong(fmt.Errorf("unknown flag %s%s", dashes, name))
}

// having returns the commands below c that have a flag.
func having(c *cobra.Command, flag string) (paths []string) {
	each(c, func(sub *cobra.Command) {
		if sub != c && (!sub.HasSubCommands() || takesArguments(sub)) && sub.Flags().Lookup(flag) != nil {
			paths = append(paths, path(sub))
		}
	})
	return paths
}

// wrongValue says what the flag takes.
func wrongValue(err *pflag.InvalidValueError) error {
	want := map[string]string{"bool": "true or false", "duration": "a time such as 30s, 5m or 1h", "int": "a whole number"}[err.GetFlag().Value.Type()]
	if want == "" {
		return Wrong(err)
	}
	return Wrong(fmt.Errorf("--%s is %q: write %s", err.GetFlag().Name, err.GetValue(), want))
}

// dashes gives a flag with one dash its second: -function is --function, as in
// programs that use Go's package flag. The value of a flag stays as it is.
func dashes(root *cobra.Command, args []string) []string {
	known := map[string]bool{"help": true, "version": true}
	each(root, func(c *cobra.Command) { c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true }) })
	at, out := root, slices.Clone(args)
	for i := 0; i < len(out) && out[i] != "--"; i++ {
		if !strings.HasPrefix(out[i], "-") {
			if sub := child(at, out[i]); sub != nil {
				at = sub
			}
			continue
		}
		if name, _, _ := strings.Cut(out[i][1:], "="); known[name] {
			out[i] = "-" + out[i]
		}
		if _, value := below(at, out[i]); value {
			i++
		}
	}
	return out
}

// versionFlag makes the command version out of the flag --version.
func versionFlag(args []string) []string {
	if len(args) > 0 && args[0] == "--version" {
		return append([]string{"version"}, args[1:]...)
	}
	return args
}
