// Package notify sends the messages of the outbox to the destinations that are
// configured: Slack, ntfy, a webhook.
package notify

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/ntfy"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/slack"
	"github.com/hearth-home/hearth/shared/store"
)

// Config says where messages are sent.
type Config struct {
	Slack   slack.Config
	Ntfy    ntfy.Config
	Webhook secret.String `env:"ALERT_WEBHOOK_SECRET" envDefault:"alert-webhook"` // secret with an address to which messages are posted as JSON
	Mode    alert.Mode    `env:"ALERTS_MODE" envDefault:"send"`                   // send; observe: alerts are only shown on the page, and nothing is sent; show: where nothing is configured, messages are kept for the page's view of the outbox
	Page    string        `env:"PAGE_URL"`                                        // address of the page, for links in messages: https://hearth.home.lan
}

// Sender sends the messages of the outbox. It is safe for concurrent use.
type Sender struct {
	config Config
	env    serve.Env
	slack  *slack.Sender
}

// New returns a sender for a function's environment. It does no I/O.
func New(c Config, env serve.Env) *Sender {
	return &Sender{config: c, env: env, slack: slack.New(c.Slack, env.Secrets.Redact)}
}

// Destinations returns those that are configured, of alert.ToSlack, alert.ToNtfy and
// alert.ToWebhook.
func (s *Sender) Destinations() []string {
	var out []string
	if s.slack.Configured() {
		out = append(out, alert.ToSlack)
	}
	return out
}

// Mode returns what is done with messages.
func (s *Sender) Mode() alert.Mode { return s.config.Mode }

// Page returns the page's address without a slash at its end; "" if it is not known.
func (s *Sender) Page() string { return strings.TrimRight(s.config.Page, "/") }

// House returns a house with the destinations, the mode and the page's address, and
// nothing of hearth.yml.
func (s *Sender) House() *alert.House {
	return &alert.House{Destinations: s.Destinations(), Mode: s.Mode(), URL: s.Page()}
}

// Drain sends the messages that are due. It begins none after budget has passed, and does
// nothing while another sender holds the lease. What a destination does not accept stays in
// the outbox, to be sent later. Errors are logged.
func (s *Sender) Drain(ctx context.Context, st *store.Store, budget time.Duration, now func() time.Time, log *slog.Logger) {
	if s.config.Mode == alert.Observe {
		return
	}
	s.slack.Drain(ctx, st, budget, now, log)
}

// Direct sends one text to each destination without the outbox, for when the store is
// away. It returns the errors of those that did not accept it.
func (s *Sender) Direct(ctx context.Context, channel alert.Channel, text string) error {
	if s.config.Mode == alert.Observe || !s.slack.Configured() {
		return nil
	}
	return s.slack.Direct(ctx, channel, text)
}
