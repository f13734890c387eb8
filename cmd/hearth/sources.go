package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/command"
)

// checkSource returns an error of usage if name is no source.
func checkSource(n local.Names, name string) error { return checkFunction(n, name, n.Sources) }

// checkHistory returns an error of usage if name is no source that can be backfilled.
func checkHistory(n local.Names, name string) error {
	if err := checkFunction(n, name, n.History); err != nil || slices.Contains(n.History, name) {
		return err
	}
	if len(n.History) == 0 {
		return command.Wrong(errors.New("no source here has history to backfill"))
	}
	has := "has"
	if len(n.History) > 1 {
		has = "have"
	}
	return command.Wrong(fmt.Errorf("%s has no history to backfill; %s %s", name, and(n.History), has))
}

func checkFunction(n local.Names, name string, meant []string) error {
	switch {
	case !slices.Contains(n.All, name):
		return command.Unknown("function", name, meant)
	case !slices.Contains(n.Sources, name):
		return command.Wrong(fmt.Errorf("%s has no schedule and is no source: the sources are %s", name, and(n.Sources)))
	}
	return nil
}

// and joins words as a sentence does.
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// completeNames completes the first argument with the name of a function that pick picks.
func completeNames(pick func(local.Names) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		root, err := local.FindRoot()
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		h, err := local.Open(root, os.Environ(), io.Discard)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := h.Names() // without a good stack.yml there is nothing to complete
		return pick(names), cobra.ShellCompDirectiveNoFileComp
	}
}
