package listen

import "github.com/hearth-home/hearth/shared/mapping"

// Report is what was heard, for a script.
type Report struct {
	Filter string   `json:"filter"`
	Topics []Spoken `json:"topics"`
	More   int      `json:"more"` // messages at further topics, which are not listed
}

// Spoken is one topic of a Report.
type Spoken struct {
	Topic    string `json:"topic"`
	Count    int    `json:"count"`
	Retained bool   `json:"retained"` // nothing but the retained message came
	Payload  []byte `json:"payload"`  // the newest, in base64
	Mapped   bool   `json:"mapped"`   // by hearth.yml
	Proposal string `json:"proposal"` // lines for hearth.yml; "" where it is mapped, or has nothing to map
}

// Report returns what was heard with a proposal for each topic. set is what
// hearth.yml says already; nil is nothing.
func (h *Heard) Report(set *mapping.Set) Report {
	out := Report{Filter: h.filter, Topics: []Spoken{}, More: h.More}
	for _, t := range h.topics {
		s := Spoken{Topic: t.Name, Count: t.count, Retained: t.retained, Payload: t.payload}
		if set != nil {
			_, s.Mapped, _ = set.Find(t.Name, t.payload)
		}
		if !s.Mapped {
			s.Proposal, _ = mapping.Propose(t.Name, t.payload) // an error: nothing to map
		}
		out.Topics = append(out.Topics, s)
	}
	return out
}
