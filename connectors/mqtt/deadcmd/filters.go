package deadcmd

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/topic"
)

// picks are the flags that pick dead letters, and what each says in the help.
var picks = [][2]string{
	{"function", "only those of the function `NAME`"},
	{"topic", "only those whose topic matches `FILTER`, such as tele/#"},
	{"reason", "only those whose reason contains `TEXT`"},
	{"cause", "only those whose reason is exactly `TEXT`"},
	{"id", "only the one with this `ID`"},
}

// filters gives a command the flags that pick dead letters; what it returns is what
// the connector is asked.
func filters(c *cobra.Command) func() url.Values {
	for _, p := range picks {
		c.Flags().String(p[0], "", p[1])
	}
	all := new(bool)
	if c.Name() != "list" {
		all = c.Flags().Bool("all", false, "all of them")
	}
	return func() url.Values {
		q := url.Values{}
		for _, p := range picks {
			if f := c.Flags().Lookup(p[0]); f.Changed {
				q.Set(p[0], f.Value.String())
			}
		}
		if *all {
			q.Set("all", "true")
		}
		return q
	}
}

// checkFilters returns what is wrong with the flags that pick dead letters.
func checkFilters(c *cobra.Command) (err error) {
	picking, all := 0, false
	c.Flags().Visit(func(f *pflag.Flag) {
		switch v := f.Value.String(); {
		case f.Name == "all":
			all = v == "true"
		case slices.ContainsFunc(picks, func(p [2]string) bool { return p[0] == f.Name }):
			if picking++; f.Name == "topic" {
				err = topic.Check(v)
			}
		}
	})
	if wait, e := c.Flags().GetDuration("wait"); e == nil && (wait < 0 || wait > deadletter.MaxWait) {
		return fmt.Errorf("--wait is %s: write a time up to %s", wait, deadletter.MaxWait)
	}
	switch {
	case err != nil:
		return err
	case all && picking > 0:
		return errors.New("--all is every dead letter: leave it out, or the other flags")
	case c.Flags().Lookup("all") != nil && !all && picking == 0:
		return errors.New("which dead letters? Pick some by a flag, or add --all")
	}
	return nil
}

// checkedAddress returns the flag --at as a URL without a path; it may be host:port. The
// error does not quote it: it may hold a password.
func checkedAddress(at string) (string, error) {
	if at == "" {
		return "", nil
	}
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	u, err := config.URL(at)
	switch {
	case err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("--at is no address of a connector: write host:port, or http://host:port")
	case u.User != nil:
		return "", errors.New("--at must not contain user and password: the connector asks for its token only")
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || n == 0) {
		return "", errors.New("--at has a port that is no number from 1 to 65535")
	}
	return u.Scheme + "://" + u.Host, nil
}

// checkFunction returns an error if the flag --function is neither one of functions nor
// one with dead letters: the function may have been removed since.
func (to Connector) checkFunction(c *cobra.Command, functions func() []string) error {
	f := c.Flags().Lookup("function")
	if f == nil || !f.Changed || functions == nil {
		return nil
	}
	known := functions()
	if slices.Contains(known, f.Value.String()) {
		return nil
	}
	ds, _ := to.letters(c.Context(), "/dead") // an unreachable connector is the next step's error, if the name is right
	for _, d := range ds {
		known = append(known, d.Function)
	}
	slices.Sort(known)
	if known = slices.Compact(known); slices.Contains(known, f.Value.String()) {
		return nil
	}
	return command.Unknown("function", f.Value.String(), known)
}

// complete completes ids of dead letters and names of functions.
func complete(c *cobra.Command, connect func(*cobra.Command, func(Connector) error) error, functions func() []string) {
	ids := func(c *cobra.Command, args []string, _ string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
		if len(args) == 0 || c.Name() != "show" {
			_ = connect(c, func(to Connector) error { // without a connector there is nothing to complete
				ds, err := to.letters(c.Context(), "/dead")
				for _, d := range ds {
					if id := printable.Line(d.ID); id == d.ID && !strings.ContainsAny(id, " ") {
						out = append(out, cobra.CompletionWithDesc(id, printable.Line(d.Function+" "+d.Topic)))
					}
				}
				return err
			})
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	if c.Name() == "show" {
		c.ValidArgsFunction = ids
	}
	if c.Flags().Lookup("id") != nil {
		_ = c.RegisterFlagCompletionFunc("id", ids) // it has none yet
	}
	if functions != nil {
		_ = c.RegisterFlagCompletionFunc("function", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return functions(), cobra.ShellCompDirectiveNoFileComp
		})
	}
}
