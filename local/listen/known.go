package listen

import (
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/wire"
)

// note says why a topic needs no lines in hearth.yml: it is one of hearth's own, or of a
// function other than sensors. "": it may be mapped.
func (h *Result) note(t *published) string {
	switch kind, _ := wire.Parse(t.Name); kind {
	case wire.Edge:
		if e, err := wire.DecodeReading(t.payload); err != nil || len(e.Device) == 0 {
			return "no reading of an edge agent, whose topics these are: publish it at another topic"
		}
		return "an edge agent's readings: stored as they are"
	case wire.Status:
		return "an edge agent's status: stored as it is"
	case wire.Stored:
		return "an acknowledgement to an edge agent"
	case wire.Dead:
		return "a notice of a dead letter, of the connector"
	case wire.Canary:
		return "the connector's canary"
	}
	if h.FunctionOf != nil {
		if name := h.FunctionOf(t.Name); name != "" {
			return "the function " + name + " stores it"
		}
	}
	return ""
}

// writeNotes writes a line for each note, with the topics that it is about. It returns the
// other topics.
func (h *Result) writeNotes(b *strings.Builder) (others []*published) {
	var notes []string
	topics := map[string][]string{} // by note
	for _, t := range h.topics {
		note := h.note(t)
		if note == "" {
			others = append(others, t)
			continue
		}
		if topics[note] == nil {
			notes = append(notes, note)
		}
		topics[note] = append(topics[note], t.Name)
	}
	for _, note := range notes {
		more := ""
		if n := len(topics[note]) - 1; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(b, "\n# %s%s: %s\n", printable.Line(topics[note][0]), more, note)
	}
	return others
}
