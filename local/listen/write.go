package listen

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/scan"
)

const (
	maxPaths     = 80 // of a payload
	maxValue     = 60 // bytes of a value that are shown
	maxProposals = 10
)

// Write prints what was received, topic by topic, and then proposes lines for hearth.yml.
// set holds the mappings of hearth.yml; nil: none.
func (h *Result) Write(w io.Writer, set *mapping.Set) error {
	var b strings.Builder
	if len(h.topics) == 0 {
		fmt.Fprintf(&b, "# nothing was published at %s\n", printable.Line(h.filter))
	}
	for _, t := range h.topics {
		many := fmt.Sprintf("%d messages", t.count)
		if t.count == 1 {
			many = "1 message"
		}
		if t.retained {
			many += ", retained"
		}
		fmt.Fprintf(&b, "\n%s  (%s)\n", printable.Line(t.Name), many)
		for _, p := range paths(t.payload) {
			fmt.Fprintf(&b, "  %-32s %s\n", printable.Line(p.path), printable.Line(p.value))
		}
	}
	if h.More > 0 {
		fmt.Fprintf(&b, "\n# messages at other topics: %d; give a narrower filter\n", h.More)
	}
	h.propose(&b, set)
	_, err := io.WriteString(w, b.String())
	return err
}

// propose writes the proposed lines for each kind of message that is not mapped yet.
// Messages with the same paths are of one kind.
func (h *Result) propose(b *strings.Builder, set *mapping.Set) {
	kinds, proposer := kindsOf(h.unmapped(b, set)), mapping.Proposer{Set: set}
	for i, same := range kinds {
		if i == maxProposals {
			fmt.Fprintf(b, "\n# and %d more kinds of messages\n", len(kinds)-i)
			return
		}
		t := same[0]
		block, err := proposer.Propose(t.Name, t.payload)
		if err != nil {
			fmt.Fprintf(b, "\n# nothing to map at %s: %s\n", printable.Line(t.Name), printable.Line(err.Error()))
			continue
		}
		fmt.Fprintf(b, "\n# for hearth.yml, to be edited: names and units are guesses\n%s", block)
		if n := len(same) - 1; n > 0 {
			fmt.Fprintf(b, "# further topics with such messages: %d, for example %s. To map all of them, write +\n# in the topic and remove the line device: each topic is then a device, named after it\n", n, printable.Line(same[1].Name))
		}
	}
}

// unmapped returns the topics that may be mapped and that set does not map. It writes
// lines about the others.
func (h *Result) unmapped(b *strings.Builder, set *mapping.Set) (out []*published) {
	for _, t := range h.writeNotes(b) {
		if set != nil {
			if _, ok, _ := set.Find(t.Name, t.payload); ok {
				fmt.Fprintf(b, "\n# %s is mapped by hearth.yml\n", printable.Line(t.Name))
				continue
			}
		}
		out = append(out, t)
	}
	return out
}

// kindsOf groups topics by the shape of their payloads, in the order of each group's first
// topic.
func kindsOf(topics []*published) (out [][]*published) {
	at := map[string]int{} // index in out by shape
	for _, t := range topics {
		i, ok := at[shape(t.payload)]
		if !ok {
			i = len(out)
			at[shape(t.payload)], out = i, append(out, nil)
		}
		out[i] = append(out[i], t)
	}
	return out
}

// shape returns the paths in a payload, one a line.
func shape(payload []byte) string {
	var b strings.Builder
	for _, p := range paths(payload) {
		b.WriteString(p.path + "\n")
	}
	return b.String()
}

type found struct{ path, value string }

// paths lists the values in a payload, with their paths as hearth.yml writes them.
func paths(payload []byte) []found {
	l := &lister{}
	s := scan.New(payload)
	if err := l.value(s, "$"); err != nil || s.End() != nil {
		return []found{{"$", string(payload[:min(len(payload), maxValue)])}}
	}
	return l.found
}

type lister struct{ found []found }

func (l *lister) value(s *scan.Scanner, at string) error {
	switch s.Kind() {
	case scan.Object:
		return s.Object(func(key []byte) error {
			if k := string(key); k == "" || strings.ContainsAny(k, ".[") {
				return l.value(s, at+"['"+k+"']")
			}
			return l.value(s, at+"."+string(key))
		})
	case scan.Array:
		return s.Array(func(i int) error { return l.value(s, at+"["+strconv.Itoa(i)+"]") })
	}
	raw, err := s.Raw()
	if err == nil && len(l.found) < maxPaths {
		l.found = append(l.found, found{at, string(raw[:min(len(raw), maxValue)])})
	}
	return err
}
