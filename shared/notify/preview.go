package notify

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/slack"
	"github.com/hearth-home/hearth/shared/store"
)

// Previewer draws messages of the outbox as Slack shows them, without sending them.
type Previewer struct {
	d    *drain
	look slack.Look
}

// NewPreviewer reads what messages say of other alerts and of silences. page is the address
// for links, "" for none.
func NewPreviewer(ctx context.Context, st *store.Store, page string, redact func(string) string, now time.Time) (*Previewer, error) {
	d := &drain{st: st, now: func() time.Time { return now }}
	return &Previewer{d, slack.Look{Page: page, Buttons: true, Redact: redact}}, d.describe(ctx)
}

// Message returns what Slack shows of messages that are sent as one.
func (p *Previewer) Message(ctx context.Context, rows []alert.Message) slack.Message {
	shown := p.d.shown(ctx, rows)
	for i := range shown {
		shown[i].Repeated = false // it is not known whether it will be
	}
	return p.look.Message(shown)
}
