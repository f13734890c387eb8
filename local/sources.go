package local

import (
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
)

// Names are the names of the functions in the stack files, sorted.
type Names struct {
	All     []string
	Sources []string // those with a schedule: the others wait for messages or for a person
	History []string // the sources that can be backfilled
}

// Names returns the names of the functions.
func (h *Installation) Names() (n Names, err error) {
	fs, err := stack.Read(h.root, h.vars)
	for _, f := range fs {
		n.All = append(n.All, f.Name)
		if f.Schedule() == "" {
			continue
		}
		n.Sources = append(n.Sources, f.Name)
		if build, ok := h.build[f.Name]; !ok || host.HasHistory(build, f) {
			n.History = append(n.History, f.Name)
		}
	}
	return n, err
}
