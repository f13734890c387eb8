package local

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/command"
)

// Names are the names of the functions in the stack files, sorted.
type Names struct {
	All     []string
	Sources []string // those that run by themselves: no message calls them
	History []string // the sources that can be backfilled
}

// Names returns the names of the functions.
func (h *Installation) Names() (n Names, err error) {
	fs, err := stack.Read(h.root, h.vars)
	for _, f := range fs {
		n.All = append(n.All, f.Name)
		if f.Schedule() == "" && len(f.Topics()) > 0 {
			continue
		}
		n.Sources = append(n.Sources, f.Name)
		if build, ok := h.build[f.Name]; !ok || host.HasHistory(build, f) {
			n.History = append(n.History, f.Name)
		}
	}
	return n, err
}

// CheckSource returns an error of usage if name is no source.
func (n Names) CheckSource(name string) error { return n.check(name, n.Sources) }

// CheckHistory returns an error of usage if name is no source that can be backfilled.
func (n Names) CheckHistory(name string) error {
	if err := n.check(name, n.History); err != nil || slices.Contains(n.History, name) {
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

func (n Names) check(name string, meant []string) error {
	switch {
	case !slices.Contains(n.All, name):
		return command.Unknown("function", name, meant)
	case !slices.Contains(n.Sources, name):
		return command.Wrong(fmt.Errorf("%s takes MQTT messages and is no source: the sources are %s", name, and(n.Sources)))
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
