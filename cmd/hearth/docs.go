package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/edge/cli"
	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/local/docs"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/command"
)

func docsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "docs", Short: "write the pages that are made from the code",
		Long:        "Write the pages that are made from the code: the references of all settings and commands, the functions' READMEs, and the schema of hearth.yml.",
		Example:     "hearth docs --check",
		Annotations: map[string]string{command.Part: "with --check, a page is out of date"},
	}
	check := c.Flags().Bool("check", false, "write nothing, and name the pages that are out of date")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return here(c.ErrOrStderr(), func(h *local.Installation) error { return writeDocs(c, h.Root(), *check) })
	}
	return c
}

func writeDocs(c *cobra.Command, root string, check bool) error {
	pages, err := pages(root)
	if err != nil {
		return err
	}
	stale, err := docs.Write(root, pages, check)
	if err != nil {
		return err
	}
	if check && len(stale) > 0 {
		return command.InPart(fmt.Errorf("out of date: %s; run hearth docs", strings.Join(stale, ", ")))
	}
	for _, name := range stale {
		if _, err := fmt.Fprintln(c.OutOrStdout(), "wrote", name); err != nil {
			return err
		}
	}
	return nil
}

// pages returns the pages that are made from the code, with their current text.
func pages(root string) ([]docs.Page, error) {
	blocks, err := stack.Read(root, nil)
	if err != nil {
		return nil, err
	}
	out, err := docs.Pages(root, blocks)
	return append(out, docs.Commands(program(), cli.Program(nil))), err
}
