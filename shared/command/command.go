// Package command is what hearth's programs have in common on their command lines:
// help with an example, version, shell completion, an unknown command named with
// the nearest, and exit codes. The commands themselves are cobra's.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/shared/printable"
)

// The exit codes of every program.
const (
	Done   = 0
	Failed = 1
	Misuse = 2 // wrong usage: nothing was done
	Partly = 3 // done in part, or done with mistakes found
)

// coded is an error that ends the program with a code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// Wrong marks an error as one of usage: exit code Misuse.
func Wrong(err error) error { return coded{err, Misuse} }

// InPart marks an error that left a part done, or that is a mistake found: exit code
// Partly.
func InPart(err error) error { return coded{err, Partly} }

// With returns an error with another text and the same exit code. errors.Is and errors.As
// still find err.
func With(err error, text string) error { return retold{err, text} }

// retold is an error with another text.
type retold struct {
	error
	text string
}

func (r retold) Error() string { return r.text }
func (r retold) Unwrap() error { return r.error }

// interrupted reports whether err says only that a context was cancelled. Of joined errors
// each must: another one may say what was lost.
func interrupted(err error) bool {
	switch x := err.(type) {
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil {
			return interrupted(inner)
		}
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(x.Unwrap(), func(e error) bool { return !interrupted(e) })
	}
	return errors.Is(err, context.Canceled)
}

// Program completes the commands of a program: version, help and completion are
// added, and the arguments of each command are checked by its Use line, as in
// "show ID" or "check [FILE]". A flag that is given an empty text is an error of usage: it
// would mean the default.
func Program(root *cobra.Command) *cobra.Command {
	cobra.EnableCommandSorting = false
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	if len(root.Groups()) > 0 {
		root.AddGroup(&cobra.Group{ID: about, Title: "This program"})
	}
	root.AddCommand(completionCommand(root), versionCommand(root))
	help := helpCommand(root)
	root.SetHelpCommand(help)
	root.AddCommand(help)
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), Help(c)) })
	root.SetFlagErrorFunc(wrongFlag)
	each(root, func(c *cobra.Command) {
		c.Flags().SortFlags = false
		c.PersistentFlags().SortFlags = false
		c.Flags().VisitAll(count)
		c.PersistentFlags().VisitAll(count)
		completeNoFiles(c)
		if c.Args == nil {
			c.Args = cobra.MatchAll(arguments, filled)
		}
		if c.HasSubCommands() && !c.Runnable() {
			c.RunE = func(c *cobra.Command, _ []string) error {
				return Wrong(fmt.Errorf("%s needs one of its commands: %s", c.Name(), list(names(c))))
			}
		}
	})
	return root
}

// about is the group of the commands that every program has.
const about = "about"

// each calls do for c and every command below it.
func each(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		each(sub, do)
	}
}

// Main runs a program with the arguments of the process, and ends the process with
// the exit code. An interrupt ends the command's context; a second one ends the
// process at once.
func Main(root *cobra.Command) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(Run(ctx, root, os.Args[1:], os.Stdout, os.Stderr))
}

// tabTime is how long a person may wait for a completion that asks a server.
const tabTime = 2 * time.Second

// Run runs a program and returns its exit code. Results go to out, errors to errs. If ctx
// is cancelled, as by an interrupt, a command that then fails for this reason was stopped,
// whatever it waited for. The context of a completion ends after 2 s.
func Run(ctx context.Context, root *cobra.Command, args []string, out, errs io.Writer) int {
	written := &output{w: out}
	root.SetOut(written)
	root.SetErr(errs)
	if completes(args) {
		short, cancel := context.WithTimeout(ctx, tabTime)
		defer cancel()
		ctx = short
	}
	c, args, err := ordered(root, versionFlag(dashes(root, args)))
	if err == nil {
		root.SetArgs(args)
		c, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		err = written.failure()
	}
	if err == nil {
		return Done
	}
	code := codeOf(err)
	if ctx.Err() != nil && interrupted(err) {
		err = errors.New("stopped")
	}
	fmt.Fprintf(errs, "%s: %s\n", root.Name(), printable.Text(err.Error())) // it may quote others
	if code == Misuse {
		fmt.Fprintf(errs, "see: %s\n", helpLine(root, c))
	}
	return code
}

func codeOf(err error) int {
	var c coded
	if errors.As(err, &c) {
		return c.code
	}
	return Failed
}
