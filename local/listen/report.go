package listen

import "github.com/hearth-home/hearth/shared/mapping"

// Report is what was received, as JSON for scripts.
type Report struct {
	Filter string  `json:"filter"`
	Topics []Topic `json:"topics"`
	More   int     `json:"more"` // messages at topics that are not listed
}

// Topic is one topic of a Report.
type Topic struct {
	Topic    string `json:"topic"`
	Count    int    `json:"count"`
	Retained bool   `json:"retained"` // only the retained message was received
	Payload  []byte `json:"payload"`  // of the last message, in base64
	Mapped   bool   `json:"mapped"`   // by hearth.yml
	Note     string `json:"note"`     // why it needs no mapping: it is hearth's own, or a function other than sensors stores it; else ""
	Proposal string `json:"proposal"` // lines for hearth.yml; "" if it is mapped, needs no mapping or has nothing to map
}

// Report returns what was received, with a proposal for each topic that set does not
// map. set holds the mappings of hearth.yml; nil: none.
func (h *Result) Report(set *mapping.Set) Report {
	out := Report{Filter: h.filter, Topics: []Topic{}, More: h.More}
	proposer := mapping.Proposer{Set: set}
	for _, t := range h.topics {
		s := Topic{Topic: t.Name, Count: t.count, Retained: t.retained, Payload: t.payload, Note: h.note(t)}
		if set != nil && s.Note == "" {
			_, s.Mapped, _ = set.Find(t.Name, t.payload)
		}
		if !s.Mapped && s.Note == "" {
			s.Proposal, _ = proposer.Propose(t.Name, t.payload) // an error: nothing to map
		}
		out.Topics = append(out.Topics, s)
	}
	return out
}
