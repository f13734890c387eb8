package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local/opml"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/printable"
)

const maxOPML = 10 << 20 // bytes

func feedsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "feeds", Short: "the feeds of another feed reader: import",
		Long:    "The feeds of another feed reader, as the setting FEEDS.",
		Example: "hearth feeds import subscriptions.opml",
	}
	c.AddCommand(feedsImport())
	return c
}

func feedsImport() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "print an OPML file as a line for .env",
		Long: `Print the feeds of an OPML file, which feed readers export, as the line FEEDS='…' for .env. Nothing is changed.

Folders count for nothing. Names become unique, with letters, digits and - only. What cannot be a feed is named in a comment.`,
		Example: "hearth feeds import subscriptions.opml",
		RunE:    func(c *cobra.Command, args []string) error { return importFeeds(c.OutOrStdout(), args[0]) },
	}
}

func importFeeds(out io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxOPML+1))
	switch {
	case err != nil:
		return err
	case len(b) > maxOPML:
		return fmt.Errorf("%s is larger than %d MiB", name, maxOPML>>20)
	}
	l, err := opml.Parse(b)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Fprintf(out, "# %s of %s; a FEEDS that is in .env already is replaced by it, unless you join the two with a semicolon\n",
		command.Count(len(l.Feeds), "feed"), printable.Line(name))
	for _, what := range l.LeftOut {
		fmt.Fprintln(out, "# left out:", printable.Line(what))
	}
	_, err = fmt.Fprintf(out, "FEEDS='%s'\n", printable.Line(l.Setting()))
	return err
}
