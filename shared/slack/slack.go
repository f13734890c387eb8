// Package slack sends the messages of the outbox to Slack, through an incoming
// webhook or, where there is a bot token, chat.postMessage.
package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
)

// Config says where messages go. Without a webhook and without a token nothing
// is sent or queued.
type Config struct {
	Webhook     secret.String `env:"SLACK_WEBHOOK_SECRET" envDefault:"slack-webhook"`           // secret with an incoming webhook's URL
	NewsWebhook secret.String `env:"SLACK_NEWS_WEBHOOK_SECRET" envDefault:"slack-news-webhook"` // the same for news (a feed's new entry); without it they go to the first
	Token       secret.String `env:"SLACK_TOKEN_SECRET" envDefault:"slack-token"`               // secret with a bot token (chat:write), instead of webhooks
	Channel     string        `env:"SLACK_CHANNEL" envDefault:"#hearth"`                        // for the bot: failures
	NewsChannel string        `env:"SLACK_NEWS_CHANNEL"`                                        // for the bot: news; empty: SLACK_CHANNEL
	URL         string        `env:"SLACK_URL" envDefault:"https://slack.com/api/"`             // for the bot: Slack's API
}

const (
	timeout  = 5 * time.Second
	leaseFor = 30 * time.Second
	batch    = 20
	pace     = time.Second // Slack takes one message a second and channel
)

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	config Config
	redact func(string) string
	http   *http.Client
}

// New returns a sender; redact takes the secrets out of its errors.
func New(c Config, redact func(string) string) *Sender {
	return &Sender{c, redact, &http.Client{Timeout: timeout}}
}

// Configured reports whether there is anywhere to send to.
func (s *Sender) Configured() bool { return s.config.Token.Present() || s.config.Webhook.Present() }

// Drain sends what is due, for at most budget, unless another sender is at it.
// What Slack does not take now stays in the outbox.
func (s *Sender) Drain(ctx context.Context, st *store.Store, budget time.Duration, now func() time.Time, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	fence, err := st.Lease(ctx, "slack", "", leaseFor)
	if errors.Is(err, store.ErrRunning) {
		return
	}
	if err == nil {
		// Given back even when the time is up.
		defer st.Release(context.WithoutCancel(ctx), "slack", fence)
		err = s.drain(ctx, st, now)
	}
	if err != nil {
		log.Warn("slack", "err", err)
	}
}

func (s *Sender) drain(ctx context.Context, st *store.Store, now func() time.Time) error {
	due, err := st.Due(ctx, now(), batch)
	if err != nil {
		return err
	}
	for i, m := range due {
		if i > 0 && !sleep(ctx, pace) {
			return nil
		}
		if err := s.Send(ctx, m); err != nil {
			wait := wait(err, m.Tries)
			err = errors.New(s.redact(err.Error()))
			return errors.Join(err, st.Postpone(context.WithoutCancel(ctx), m.Key, err.Error(), now().Add(wait)))
		}
		if err := st.Sent(context.WithoutCancel(ctx), m.Key, now()); err != nil {
			return err
		}
	}
	return nil
}

// Send posts one message. A nil error means that Slack has it.
func (s *Sender) Send(ctx context.Context, m store.Message) error {
	text := escape(m.Text)
	if token := s.config.Token.Reveal(); token != "" {
		channel := s.config.Channel
		if m.Channel == "news" && s.config.NewsChannel != "" {
			channel = s.config.NewsChannel
		}
		api := slack.New(token, slack.OptionAPIURL(s.config.URL), slack.OptionHTTPClient(s.http))
		_, _, err := api.PostMessageContext(ctx, channel, slack.MsgOptionText(text, false), slack.MsgOptionDisableLinkUnfurl(),
			slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "hearth", EventPayload: map[string]any{"key": m.Key}}))
		return named(err)
	}
	hook := s.config.Webhook.Reveal()
	if news := s.config.NewsWebhook.Reveal(); m.Channel == "news" && news != "" {
		hook = news
	}
	return named(slack.PostWebhookCustomHTTPContext(ctx, hook, s.http, &slack.WebhookMessage{Text: text}))
}

func named(err error) error {
	if err != nil {
		return fmt.Errorf("slack: %w", err)
	}
	return nil
}

// wait is how long to leave Slack alone after err.
func wait(err error, tries int) time.Duration {
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return e.RetryAfter
	}
	return min(time.Minute<<min(tries, 6), time.Hour)
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// escape keeps foreign text from being read as a link or a mention.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
