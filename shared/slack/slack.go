// Package slack writes to Slack: as a bot if there is a token, otherwise by incoming
// webhooks. What is sent, when and how often is decided by package notify.
package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/secret"
)

// Config configures where messages are sent in Slack. Without a webhook and without a
// token, Slack is not configured.
type Config struct {
	Webhooks secret.String `env:"SLACK_WEBHOOKS_SECRET" envDefault:"slack-webhooks"` // secret with incoming webhooks, a line each: default=https://hooks.slack.com/…, climate=https://…; one address alone is the default
	Token    secret.String `env:"SLACK_TOKEN_SECRET" envDefault:"slack-token"`       // secret with a bot token (xoxb-…), instead of webhooks
	Channel  string        `env:"SLACK_CHANNEL" envDefault:"#hearth"`                // bot only: Slack's channel
	Channels Rooms         `env:"SLACK_CHANNELS"`                                    // bot only: other channels by what messages are about: climate=#air,security=#alarm
	Buttons  bool          `env:"SLACK_BUTTONS" envDefault:"false"`                  // bot only: messages have buttons, for which connectors/slack must run
	URL      string        `env:"SLACK_URL" envDefault:"https://slack.com/api/"`     // bot only: Slack's API
}

const timeout = 5 * time.Second // of one request

// Client writes to Slack. It is safe for concurrent use.
type Client struct {
	config  Config
	secrets *secret.Folder
	http    *http.Client
	mu      sync.Mutex
	ids     map[string]string // of channels, by how the settings name them
}

// New returns a client. It does no I/O.
func New(c Config, secrets *secret.Folder) *Client {
	return &Client{config: c, secrets: secrets, http: HTTP(), ids: map[string]string{}}
}

// HTTP returns an HTTP client for messages. It follows no redirect after which a message
// would not be posted again: the answer to that could be 200, and the message lost.
func HTTP() *http.Client {
	return &http.Client{Timeout: timeout, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.Method != via[0].Method || len(via) >= 10 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// Configured reports whether there is a token or a webhook.
func (c *Client) Configured() bool { return c.Bot() || c.config.Webhooks.Present() }

// Bot reports whether there is a token: only a bot can edit, reply and look up messages.
func (c *Client) Bot() bool { return c.config.Token.Present() }

// Room returns where messages of a channel are posted: Slack's channel or, without a
// token, a webhook's address, which is a secret. The error says what is wrong with the
// settings; without one, "" means that nothing is configured for the channel.
func (c *Client) Room(of alert.Channel) (string, error) {
	if c.Bot() {
		return cmp.Or(c.config.Channels.of(of), c.config.Channel), nil
	}
	all, err := ParseWebhooks(c.config.Webhooks.Reveal())
	for _, address := range all {
		c.secrets.Remember(address)
	}
	if room := all.of(of); room != "" {
		return room, nil
	}
	if err != nil {
		err = fmt.Errorf("secret %s: %w", c.config.Webhooks.Name(), err)
	}
	return "", err
}

// Place is where a message is: Slack's ids of the channel and of the message.
type Place struct{ Channel, TS string }

// Message is what is posted.
type Message struct {
	Text   string // for notifications, and where Slack refuses Blocks
	Blocks []slack.Block
	Keys   []string // of the outbox, by which Find finds the message again
}

func (m Message) options() []slack.MsgOption {
	out := []slack.MsgOption{slack.MsgOptionText(m.Text, false), slack.MsgOptionDisableLinkUnfurl()}
	if len(m.Blocks) > 0 {
		out = append(out, slack.MsgOptionBlocks(m.Blocks...))
	}
	if len(m.Keys) > 0 {
		out = append(out, slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "hearth", EventPayload: map[string]any{"keys": m.Keys}}))
	}
	return out
}

func (c *Client) api() *slack.Client {
	return slack.New(c.config.Token.Reveal(), slack.OptionAPIURL(c.config.URL), slack.OptionHTTPClient(c.http))
}

// Post posts a message to a room. A nil error means that Slack has accepted it. By a
// webhook, the place is unknown.
func (c *Client) Post(ctx context.Context, room string, m Message) (Place, error) {
	if !c.Bot() {
		hook := &slack.WebhookMessage{Text: m.Text}
		if len(m.Blocks) > 0 {
			hook.Blocks = &slack.Blocks{BlockSet: m.Blocks}
		}
		return Place{}, named(slack.PostWebhookCustomHTTPContext(ctx, room, c.http, hook))
	}
	channel, ts, err := c.api().PostMessageContext(ctx, room, m.options()...)
	if err == nil && ts == "" {
		return Place{}, errors.New("slack: the answer names no message")
	}
	if err == nil {
		c.mu.Lock()
		c.ids[room] = channel
		c.mu.Unlock()
	}
	return Place{channel, ts}, named(err)
}

// Reply posts a message in the thread of another. With broadcast, it is in the channel,
// too.
func (c *Client) Reply(ctx context.Context, to Place, broadcast bool, m Message) error {
	options := append(m.options(), slack.MsgOptionTS(to.TS))
	if broadcast {
		options = append(options, slack.MsgOptionBroadcast())
	}
	_, _, err := c.api().PostMessageContext(ctx, to.Channel, options...)
	return named(err)
}

// maxUpdate is Slack's limit of the text of an edit, in bytes. A post may have more.
const maxUpdate = 4000

// Update replaces what a message of the bot says. It keeps the keys by which Find finds it.
func (c *Client) Update(ctx context.Context, at Place, m Message) error {
	m.Text = clipBytes(m.Text, maxUpdate)
	_, _, _, err := c.api().UpdateMessageContext(ctx, at.Channel, at.TS, append([]slack.MsgOption{slack.MsgOptionBlocks()}, m.options()...)...)
	return named(err)
}

// Check reports why the token or a webhook is wrong, without posting anything: nil if it
// cannot tell.
func (c *Client) Check(ctx context.Context) error {
	if !c.Bot() {
		_, err := ParseWebhooks(c.config.Webhooks.Reveal())
		return err
	}
	_, err := c.api().AuthTestContext(ctx)
	return named(err)
}

const (
	pageSize = 200
	maxPages = 10
)

// Find returns the places of the messages with these keys that were posted since then: in
// a room, and in the threads of other messages. One in a thread has the TS "".
func (c *Client) Find(ctx context.Context, room string, threads []Place, since time.Time) (map[string]Place, error) {
	found := map[string]Place{}
	id, err := c.id(ctx, room)
	if err != nil {
		return nil, err
	}
	oldest := fmt.Sprintf("%d.%06d", since.Unix(), since.Nanosecond()/1000)
	p := slack.GetConversationHistoryParameters{ChannelID: id, Oldest: oldest, Limit: pageSize, IncludeAllMetadata: true}
	for range maxPages {
		r, err := c.api().GetConversationHistoryContext(ctx, &p)
		if err != nil {
			return nil, named(err)
		}
		note(found, id, r.Messages)
		if p.Cursor = r.ResponseMetaData.NextCursor; p.Cursor == "" {
			break
		}
	}
	for _, t := range threads {
		replies, _, _, err := c.api().GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
			ChannelID: t.Channel, Timestamp: t.TS, Oldest: oldest, Limit: pageSize, IncludeAllMetadata: true})
		if err != nil && !Gone(err) && !Left(err) {
			return nil, named(err)
		}
		note(found, t.Channel, replies)
	}
	return found, nil
}

// note adds the keys of messages to found.
func note(found map[string]Place, channel string, messages []slack.Message) {
	for _, m := range messages {
		keys, _ := m.Metadata.EventPayload["keys"].([]any)
		for _, k := range keys {
			if key, ok := k.(string); ok {
				at := Place{channel, m.Timestamp}
				if m.ThreadTimestamp != "" && m.ThreadTimestamp != m.Timestamp {
					at.TS = ""
				}
				found[key] = at
			}
		}
	}
}

var channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{7,}$`)

// id returns Slack's id of a room: only it can be looked up.
func (c *Client) id(ctx context.Context, room string) (string, error) {
	if channelID.MatchString(room) {
		return room, nil
	}
	c.mu.Lock()
	id := c.ids[room]
	c.mu.Unlock()
	if id != "" {
		return id, nil
	}
	p := slack.GetConversationsParameters{Types: []string{"public_channel", "private_channel"}, ExcludeArchived: true, Limit: pageSize}
	for range maxPages {
		list, next, err := c.api().GetConversationsContext(ctx, &p)
		if err != nil {
			return "", named(err)
		}
		if i := slices.IndexFunc(list, func(l slack.Channel) bool { return l.Name == strings.TrimPrefix(room, "#") }); i >= 0 {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ids[room] = list[i].ID
			return list[i].ID, nil
		}
		if p.Cursor = next; next == "" {
			break
		}
	}
	return "", named(slack.SlackErrorResponse{Err: "channel_not_found"})
}

// named adds the package's name to an error, and takes the address of a request from it: a
// webhook's is a secret.
func named(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err != nil {
		return fmt.Errorf("slack: %w", err)
	}
	return nil
}
