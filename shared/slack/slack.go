// Package slack sends the messages of the outbox to Slack. It uses chat.postMessage
// if there is a bot token, otherwise an incoming webhook.
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/pause"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
)

// Config configures where messages are sent in Slack. Without a webhook and without a
// token, Slack is not configured.
type Config struct {
	Webhooks secret.String `env:"SLACK_WEBHOOKS_SECRET" envDefault:"slack-webhooks"` // secret with incoming webhooks, a line each: default=https://hooks.slack.com/…, climate=https://…; one address alone is the default
	Token    secret.String `env:"SLACK_TOKEN_SECRET" envDefault:"slack-token"`       // secret with a bot token (xoxb-…), instead of webhooks
	Channel  string        `env:"SLACK_CHANNEL" envDefault:"#hearth"`                // bot only: Slack's channel
	Channels Rooms         `env:"SLACK_CHANNELS"`                                    // bot only: other channels by what messages are about: climate=#air,security=#alarm
	URL      string        `env:"SLACK_URL" envDefault:"https://slack.com/api/"`     // bot only: Slack's API
}

const (
	timeout   = 5 * time.Second  // of one request
	leaseTime = 30 * time.Second // of the lease that lets one sender at a time read the outbox
	batch     = 20               // messages read at once
	maxTries  = 4                // of a message that Slack refuses because of its content
)

// Sender sends the messages of the outbox. It is safe for concurrent use.
type Sender struct {
	config Config
	redact func(string) string
	http   *http.Client
	pace   time.Duration // between two messages: Slack's limit is one per second and channel
}

// New returns a sender. It calls redact to remove secrets from errors before they
// are stored or logged.
func New(c Config, redact func(string) string) *Sender {
	return &Sender{c, redact, &http.Client{Timeout: timeout}, time.Second}
}

// Configured reports whether there is a token or a webhook.
func (s *Sender) Configured() bool {
	return s.config.Token.Present() || s.config.Webhooks.Present()
}

// Drain sends the messages that are due and for whose channel the function is configured.
// Messages that nobody has sent for very long are given up. It begins no message after budget has
// passed, and does nothing while another sender holds the lease. A message that
// Slack does not accept stays in the outbox, to be retried later. Drain waits for a
// message in flight even when the time is up: stopping it could send it twice.
// Errors are logged.
func (s *Sender) Drain(ctx context.Context, st *store.Store, budget time.Duration, now func() time.Time, log *slog.Logger) {
	end, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	switch n, err := st.GiveUp(end, now()); {
	case err != nil:
		log.Warn("slack", "err", err)
		return
	case n > 0:
		log.Error("messages to Slack are given up: they could not be sent", "messages", n)
	}
	if !s.Configured() {
		return
	}
	fence, err := st.Lease(end, "slack", "", leaseTime)
	if errors.Is(err, store.ErrRunning) {
		return
	}
	if err == nil {
		// Release the lease even if ctx has ended.
		defer st.Release(context.WithoutCancel(ctx), "slack", fence)
		err = s.drain(ctx, end, st, now)
	}
	if err != nil {
		log.Warn("slack", "err", err)
	}
}

// drain begins no message after end. If a message fails and will be retried,
// the later messages of its channel wait, so that they stay in order. Those of other
// channels are sent.
func (s *Sender) drain(ctx, end context.Context, st *store.Store, now func() time.Time) error {
	due, err := st.Due(end, now(), batch)
	if err != nil {
		return err
	}
	var errs error
	waiting := map[alert.Channel]bool{}
	for i, ms := range grouped(due) {
		if waiting[ms[0].Channel] {
			continue
		}
		if i > 0 && !pause.For(end, s.pace) {
			break
		}
		refused, err := s.deliver(ctx, st, ms, now)
		waiting[ms[0].Channel] = err != nil && !refused
		errs = errors.Join(errs, err)
	}
	return errs
}

// grouped returns the messages to Slack in order, those of one group and channel together.
func grouped(due []alert.Message) (out [][]alert.Message) {
	for _, m := range due {
		if m.Destination != alert.ToSlack {
			continue
		}
		i := slices.IndexFunc(out, func(ms []alert.Message) bool {
			return m.Group != "" && ms[0].Group == m.Group && ms[0].Channel == m.Channel
		})
		if i < 0 {
			out = append(out, []alert.Message{m})
			continue
		}
		out[i] = append(out[i], m)
	}
	return out
}

// deliver sends messages as one and records the result in the outbox. refused means that
// they will not be retried.
func (s *Sender) deliver(ctx context.Context, st *store.Store, ms []alert.Message, now func() time.Time) (refused bool, err error) {
	one := ms[0]
	for _, m := range ms[1:] {
		one.Text += "\n\n" + m.Text
	}
	err = s.send(ctx, one)
	redacted := error(nil)
	if err != nil {
		redacted = errors.New(s.redact(err.Error()))
	}
	keep := context.WithoutCancel(ctx)
	errs := redacted
	for _, m := range ms {
		switch {
		case err == nil:
			errs = errors.Join(errs, st.Sent(keep, m.Key, now()))
		case badMessage(err) && m.Tries+1 >= maxTries:
			refused = true
			errs = errors.Join(errs, fmt.Errorf("message %q is not retried", m.Key), st.Refuse(keep, m.Key, redacted.Error(), now()))
		default:
			errs = errors.Join(errs, st.Postpone(keep, m.Key, redacted.Error(), now().Add(wait(err, m.Tries))))
		}
	}
	return refused, errs
}

// send posts one message. A nil error means that Slack has accepted it.
func (s *Sender) send(ctx context.Context, m alert.Message) error {
	text := escape(m.Text)
	if token := s.config.Token.Reveal(); token != "" {
		channel := cmp.Or(s.config.Channels.of(m.Channel), s.config.Channel)
		api := slack.New(token, slack.OptionAPIURL(s.config.URL), slack.OptionHTTPClient(s.http))
		_, _, err := api.PostMessageContext(ctx, channel, slack.MsgOptionText(text, false), slack.MsgOptionDisableLinkUnfurl(),
			slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "hearth", EventPayload: map[string]any{"key": m.Key}}))
		return named(err)
	}
	all, err := ParseWebhooks(s.config.Webhooks.Reveal())
	hook := all.of(m.Channel)
	if hook == "" {
		return named(cmp.Or(err, fmt.Errorf("there is no webhook for %s", m.Channel)))
	}
	return named(slack.PostWebhookCustomHTTPContext(ctx, hook, s.http, &slack.WebhookMessage{Text: text}))
}

// named adds the package's name to an error.
func named(err error) error {
	if err != nil {
		return fmt.Errorf("slack: %w", err)
	}
	return nil
}

// wait returns how long to wait before the next try: Slack's Retry-After, or a
// backoff from one minute to one hour.
func wait(err error, tries int) time.Duration {
	if e, ok := errors.AsType[*slack.RateLimitedError](err); ok && e.RetryAfter > 0 {
		return min(e.RetryAfter, time.Hour)
	}
	return min(time.Minute<<min(tries, 6), time.Hour)
}

// badMessage reports whether Slack refuses this message because of its content, so
// that the next message may be accepted.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func badMessage(err error) bool {
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

// escape keeps text of an upstream from being read as a link or a mention.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

// Direct sends one text without the outbox.
func (s *Sender) Direct(ctx context.Context, channel alert.Channel, text string) error {
	return s.send(ctx, alert.Message{Channel: channel, Text: s.redact(text)})
}
