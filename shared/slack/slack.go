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

	"github.com/hearth-home/hearth/shared/alert"
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
	giveUp   = 4 // tries of a message that Slack refuses for what it says
)

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	config Config
	redact func(string) string
	http   *http.Client
	pace   time.Duration // Slack takes one message a second and channel
}

// New returns a sender; redact takes the secrets out of its errors.
func New(c Config, redact func(string) string) *Sender {
	return &Sender{c, redact, &http.Client{Timeout: timeout}, time.Second}
}

// Configured reports whether there is anywhere to send to.
func (s *Sender) Configured() bool { return s.config.Token.Present() || s.config.Webhook.Present() }

// Drain sends what is due, for at most budget, unless another sender is at it.
// What Slack does not take now stays in the outbox. A message that is under way
// when the time is up is waited for: else it might be sent twice.
func (s *Sender) Drain(ctx context.Context, st *store.Store, budget time.Duration, now func() time.Time, log *slog.Logger) {
	end, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	fence, err := st.Lease(end, "slack", "", leaseFor)
	if errors.Is(err, store.ErrRunning) {
		return
	}
	if err == nil {
		// Given back even when the time is up.
		defer st.Release(context.WithoutCancel(ctx), "slack", fence)
		err = s.drain(ctx, end, st, now)
	}
	if err != nil {
		log.Warn("slack", "err", err)
	}
}

// drain begins no message after end. Where one is not taken, its channel waits
// and the others go on.
func (s *Sender) drain(ctx, end context.Context, st *store.Store, now func() time.Time) error {
	due, err := st.Due(end, now(), batch)
	if err != nil {
		return err
	}
	var errs error
	waiting := map[string]bool{}
	for i, m := range due {
		if waiting[m.Channel] {
			continue
		}
		if i > 0 && !sleep(end, s.pace) {
			break
		}
		var refused bool
		refused, err = s.deliver(ctx, st, m, now)
		waiting[m.Channel] = err != nil && !refused
		errs = errors.Join(errs, err)
	}
	return errs
}

// deliver sends a message and writes down what became of it. refused says that
// it will not be tried again.
func (s *Sender) deliver(ctx context.Context, st *store.Store, m alert.Message, now func() time.Time) (refused bool, err error) {
	err = s.Send(ctx, m)
	keep := context.WithoutCancel(ctx)
	if err == nil {
		return false, st.Sent(keep, m.Key, now())
	}
	said := errors.New(s.redact(err.Error()))
	if poison(err) && m.Tries+1 >= giveUp {
		return true, errors.Join(fmt.Errorf("%q is given up: %w", m.Key, said), st.Refuse(keep, m.Key, said.Error(), now()))
	}
	return false, errors.Join(said, st.Postpone(keep, m.Key, said.Error(), now().Add(wait(err, m.Tries))))
}

// Send posts one message. A nil error means that Slack has it.
func (s *Sender) Send(ctx context.Context, m alert.Message) error {
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
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok && e.RetryAfter > 0 {
		return min(e.RetryAfter, time.Hour)
	}
	return min(time.Minute<<min(tries, 6), time.Hour)
}

// poison reports that Slack refuses this message, not us: the next one may pass.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func poison(err error) bool {
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return e.Code == http.StatusBadRequest || e.Code == http.StatusRequestEntityTooLarge
	}
	if e, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		switch e.Err {
		case "msg_too_long", "no_text", "invalid_arguments", "metadata_too_large", "invalid_metadata_format":
			return true
		}
	}
	return false
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
