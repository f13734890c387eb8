// Package notify sends the messages of the outbox to the destinations that are
// configured: Slack, ntfy, a webhook.
//
// A message is sent once. If a sender dies after the destination has accepted a message and
// before the outbox knows it, a bot of Slack finds the message in the channel; to the other
// destinations it is sent again, marked as possibly repeated.
package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/slack"
)

// Config says where messages are sent.
type Config struct {
	Slack   slack.Config
	Ntfy    Ntfy
	Webhook secret.String `env:"ALERT_WEBHOOK_SECRET" envDefault:"alert-webhook"` // secret with an address to which messages are posted as JSON
	Mode    alert.Mode    `env:"ALERTS_MODE" envDefault:"send"`                   // send; observe: alerts are only shown on the page, and nothing is sent; show: where nothing is configured, messages are kept for the page's view of the outbox
	Page    string        `env:"PAGE_URL"`                                        // address of the page, for links in messages: https://hearth.home.lan
}

// Sender sends the messages of the outbox. It is safe for concurrent use.
type Sender struct {
	config Config
	env    serve.Env
	slack  *slack.Client
	http   *http.Client
	wait   func(context.Context, time.Duration) bool // waits; false: the context ended

	mu   sync.Mutex
	last map[lane]time.Time // when a message was sent last
}

// New returns a sender for a function's environment. It does no I/O.
func New(c Config, env serve.Env) *Sender {
	return &Sender{config: c, env: env, slack: slack.New(c.Slack, env.Secrets), http: slack.HTTP(), wait: pause.For, last: map[lane]time.Time{}}
}

// Destinations returns those that are configured, of alert.ToSlack, alert.ToNtfy and
// alert.ToWebhook.
func (s *Sender) Destinations() []string {
	var out []string
	if s.slack.Configured() {
		out = append(out, alert.ToSlack)
	}
	if s.config.Ntfy.configured() {
		out = append(out, alert.ToNtfy)
	}
	if s.config.Webhook.Present() {
		out = append(out, alert.ToWebhook)
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

// Direct sends one text to each destination without the outbox, for when the store is
// away. It returns the errors of those that did not accept it.
func (s *Sender) Direct(ctx context.Context, channel alert.Channel, text string) error {
	if s.config.Mode == alert.Observe {
		return nil
	}
	m := alert.Message{Channel: channel, What: alert.News, Text: text, Created: s.env.Now()}
	var errs []error
	for _, m.Destination = range s.Destinations() {
		if err := s.direct(ctx, m); err != nil {
			errs = append(errs, s.redacted(fmt.Errorf("%s: %w", m.Destination, err)))
		}
	}
	return errors.Join(errs...)
}

func (s *Sender) direct(ctx context.Context, m alert.Message) error {
	l, err := s.lane(&m)
	if err != nil {
		return err
	}
	if m.Destination == alert.ToSlack {
		_, err := s.slack.Post(ctx, l.room, s.look().Message([]slack.Shown{{Text: m.Text}}))
		return err
	}
	return s.push(ctx, []alert.Message{m})
}

// errNowhere is a message for which nothing is configured.
var errNowhere = errors.New("no address is configured for messages of this kind")

// lane returns where a message goes.
func (s *Sender) lane(m *alert.Message) (lane, error) {
	if m.Destination != alert.ToSlack {
		return lane{m.Destination, ""}, nil
	}
	room, err := s.slack.Room(m.Channel)
	if err == nil && room == "" {
		err = errNowhere
	}
	return lane{m.Destination, room}, err
}

// push sends messages to ntfy or the webhook.
func (s *Sender) push(ctx context.Context, rows []alert.Message) error {
	if rows[0].Destination == alert.ToNtfy {
		return s.ntfy(ctx, rows)
	}
	return s.webhook(ctx, rows)
}

func (s *Sender) look() slack.Look {
	return slack.Look{Page: s.Page(), Buttons: s.config.Slack.Buttons && s.slack.Bot(), Redact: s.env.Secrets.Redact}
}

func (s *Sender) redacted(err error) error { return errors.New(s.env.Secrets.Redact(err.Error())) }
