package function

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	publishEvery = time.Second // at most
	lookBack     = 2 * time.Minute
	keepResolved = 24 * time.Hour // how long the state of an alert that is over stays at the broker
	maxPublished = 200            // active ones, and as many that are over: the connector reads 1 MiB of an answer
)

// publisher adds the states of alerts to answers: those that have changed to each, and all to
// that of a canary, since an answer may not reach the connector. The connector publishes
// each state once.
type publisher struct {
	on     bool
	looked atomic.Int64 // when it last looked for changes

	mu   sync.Mutex
	sent map[string]int64 // versions by key
}

// published is the state of an alert as it is published.
type published struct {
	Key      string         `json:"key"`
	State    string         `json:"state"` // firing, unknown, resolved
	Rule     string         `json:"rule"`
	Severity alert.Severity `json:"severity"`
	Channel  alert.Channel  `json:"channel"`
	Title    string         `json:"title"`
	About    string         `json:"about,omitempty"` // device and room, or function and target, for people
	Text     string         `json:"text,omitempty"`
	Device   string         `json:"device,omitempty"` // id
	Room     string         `json:"room,omitempty"`
	Field    string         `json:"field,omitempty"`
	Value    *float64       `json:"value,omitempty"`
	Limit    *float64       `json:"limit,omitempty"`
	Unit     string         `json:"unit,omitempty"`
	Since    time.Time      `json:"since,omitzero"`
	Ended    time.Time      `json:"ended,omitzero"`
	Acked    bool           `json:"acknowledged"`
}

// add adds states to an answer. all: also those that were added before. The batch is stored
// already.
func (p *publisher) add(ctx context.Context, st *store.Store, all bool, now time.Time, a *wire.Answer) error {
	if !p.on || !due(&p.looked, now, publishEvery) && !all {
		return nil
	}
	back := lookBack
	if all {
		back = 2 * keepResolved
	}
	states, err := st.AlertsSince(ctx, now.Add(-back), maxPublished)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent == nil || len(p.sent) > 10*maxPublished {
		p.sent = map[string]int64{}
	}
	for _, s := range states {
		if p.sent[s.Key] == s.Version && !all {
			continue
		}
		if state := encodeState(&s, now); state != nil {
			if a.Alerts == nil {
				a.Alerts = map[string]json.RawMessage{}
			}
			a.Alerts[s.Key], p.sent[s.Key] = state, s.Version
		}
	}
	return nil
}

// encodeState returns the state to publish; null if it is to be removed, and nil if there is
// none: an alert of sample data, or one that did not fire yet.
func encodeState(s *alert.State, now time.Time) json.RawMessage {
	over := s.Phase == alert.Resolved
	switch {
	case s.Sample || !s.Open() && !over:
		return nil
	case over && now.Sub(s.Ended) >= keepResolved:
		return json.RawMessage("null")
	}
	b, err := json.Marshal(published{s.Key, string(s.Phase), s.Rule, s.Severity, s.Channel, s.Title, s.Label(), s.Text, s.Device, s.Room, s.Field,
		s.Value, s.Limit, s.Unit, s.Since, s.Ended, !s.Acked.IsZero()})
	if err != nil {
		return nil // a value is no number: the store has none such
	}
	return b
}
