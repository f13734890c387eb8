package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/slack"
)

// Ntfy says where notifications for telephones are sent. Without an address and a topic,
// ntfy is not configured.
type Ntfy struct {
	URL   string        `env:"NTFY_URL"`                                  // address of the server: https://ntfy.home.lan
	Topic topic         `env:"NTFY_TOPIC"`                                // name of the topic. On a public server, who knows it reads it: choose one that nobody guesses
	Token secret.String `env:"NTFY_TOKEN_SECRET" envDefault:"ntfy-token"` // secret with an access token (tk_…) that may publish there; empty: none is needed
}

// topic is the name of a topic of ntfy, which answers 400 to a message for another.
type topic string

var topicName = regexp.MustCompile(`^[-_A-Za-z0-9]{0,64}$`)

// UnmarshalText parses a topic; "" is none.
func (t *topic) UnmarshalText(text []byte) error {
	if !topicName.Match(text) {
		return errors.New("is no name of a topic: write at most 64 letters, digits, - and _")
	}
	*t = topic(text)
	return nil
}

func (n Ntfy) configured() bool { return n.URL != "" && n.Topic != "" }

// notification is what ntfy is asked to publish. https://docs.ntfy.sh/publish/#publish-as-json
type notification struct {
	Topic    topic    `json:"topic"`
	Title    string   `json:"title,omitempty"`
	Message  string   `json:"message"`
	Tags     []string `json:"tags,omitempty"`
	Priority int      `json:"priority,omitempty"` // 1 to 5
	Click    string   `json:"click,omitempty"`
	Sequence string   `json:"sequence_id,omitempty"` // a later notification with it replaces this one, from ntfy 2.16 on
}

const (
	maxNote  = 3900 // bytes of a message: ntfy makes an attachment of more than 4,096
	maxTitle = 250  // bytes of a title
	maxBody  = 8000 // bytes of the JSON: ntfy refuses more than 8,192
)

// ntfy publishes messages as one notification.
func (s *Sender) ntfy(ctx context.Context, rows []alert.Message) error {
	n := notification{Topic: s.config.Ntfy.Topic}
	var texts []string
	for _, m := range rows {
		n.Priority = max(n.Priority, priority(m))
		texts = append(texts, s.text(m))
	}
	if len(rows) == 1 {
		m := rows[0]
		n.Title, n.Message, _ = strings.Cut(texts[0], "\n")
		if len(n.Title) > maxTitle {
			n.Title, n.Message = cut(n.Title, maxTitle), texts[0]
		}
		n.Tags = []string{tag(m)}
		if m.Alert != nil && m.What != alert.Repeat { // a repetition is to ring again
			sum := sha256.Sum256([]byte(m.Alert.Key))
			n.Sequence = hex.EncodeToString(sum[:16])
		}
	} else {
		n.Title, n.Message = fmt.Sprintf("%d messages", len(rows)), strings.Join(texts, "\n\n")
	}
	n.Message = cmp.Or(n.Message, n.Title)
	if page := s.Page(); page != "" {
		n.Click = slack.PageAt(page, alertOf(rows[0]), rows[0].Created)
	}
	for text, most := n.Message, maxNote; most > 0; most /= 2 { // characters that JSON escapes take more bytes
		n.Message = cut(text, most)
		if b, err := encode(n); err != nil || len(b) <= maxBody {
			break
		}
	}
	return s.post(ctx, strings.TrimRight(s.config.Ntfy.URL, "/")+"/", s.config.Ntfy.Token.Reveal(), n)
}

// crowded reports whether messages do not fit into one notification.
func (s *Sender) crowded(rows []alert.Message) bool {
	size := 0
	for _, m := range rows {
		size += len(s.text(m)) + len("\n\n")
	}
	return len(rows) > 1 && size > maxNote
}

// cut cuts a text to about n bytes.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "") + "…"
}

// encode returns JSON in which <, > and & are as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// priority returns how loud a notification is: 5 only for the repetition of a critical one
// that nobody acknowledged.
func priority(m alert.Message) int {
	switch {
	case m.What == alert.Repeat:
		return 5
	case m.Alert == nil:
		return 3
	case m.What == alert.Ended, m.What == alert.Unwatched, m.Alert.Severity == alert.Info:
		return 2
	case m.Alert.Severity == alert.Critical:
		return 4
	}
	return 3
}

// tag returns the name of the sign before a notification's title. https://docs.ntfy.sh/emojis/
func tag(m alert.Message) string {
	switch {
	case m.Alert == nil:
		return "information_source"
	case m.What == alert.Ended:
		return "green_circle"
	case m.What == alert.Unwatched:
		return "white_circle"
	case m.Alert.Severity == alert.Critical:
		return "rotating_light"
	}
	return "warning"
}

// text returns a message's plain text without secrets.
func (s *Sender) text(m alert.Message) string {
	text := printable.Text(s.env.Secrets.Redact(m.Text))
	if !m.Attempted.IsZero() {
		text += "\npossibly repeated"
	}
	return text
}

// posted is what the webhook gets: docs/alerts.md describes it.
type posted struct {
	Version  int          `json:"version"` // 1
	Messages []postedItem `json:"messages"`
}

type postedItem struct {
	Key      string        `json:"key"` // no other message has it
	What     alert.What    `json:"what"`
	Channel  alert.Channel `json:"channel"`
	At       time.Time     `json:"at"`
	Text     string        `json:"text"`
	Repeated bool          `json:"possibly_repeated,omitempty"`
	Link     string        `json:"link,omitempty"`
	Alert    *postedAlert  `json:"alert,omitempty"`
}

type postedAlert struct {
	Key         string         `json:"key"`
	Rule        string         `json:"rule"`
	Title       string         `json:"title"`
	Severity    alert.Severity `json:"severity"`
	Phase       alert.Phase    `json:"phase"`
	Device      string         `json:"device,omitempty"`
	Name        string         `json:"name,omitempty"`
	Room        string         `json:"room,omitempty"`
	Measurement string         `json:"measurement,omitempty"`
	Field       string         `json:"field,omitempty"`
	Function    string         `json:"function,omitempty"`
	Target      string         `json:"target,omitempty"`
	Text        string         `json:"text,omitempty"`
	Value       *float64       `json:"value,omitempty"`
	Limit       *float64       `json:"limit,omitempty"`
	Worst       *float64       `json:"worst,omitempty"`
	Unit        string         `json:"unit,omitempty"`
	Since       time.Time      `json:"since,omitzero"`
	Ended       time.Time      `json:"ended,omitzero"`
	Next        string         `json:"next,omitempty"`
}

// webhook posts messages as JSON.
func (s *Sender) webhook(ctx context.Context, rows []alert.Message) error {
	body := posted{Version: 1}
	for _, m := range rows {
		item := postedItem{Key: m.Key, What: m.What, Channel: m.Channel, At: m.Created, Text: s.env.Secrets.Redact(m.Text), Repeated: !m.Attempted.IsZero()}
		if page := s.Page(); page != "" {
			item.Link = slack.PageAt(page, alertOf(m), m.Created)
		}
		if a := m.Alert; a != nil {
			item.Alert = &postedAlert{a.Key, a.Rule, s.env.Secrets.Redact(a.Title), a.Severity, a.Phase, a.Device, s.env.Secrets.Redact(a.Name), a.Room, a.Measurement, a.Field,
				a.Function, a.Target, s.env.Secrets.Redact(a.Text), a.Value, a.Limit, a.Worst, a.Unit, a.Since, a.Ended, s.env.Secrets.Redact(a.Next)}
		}
		body.Messages = append(body.Messages, item)
	}
	return s.post(ctx, s.config.Webhook.Reveal(), "", body)
}

// answerError is an answer other than 2xx.
type answerError struct {
	code  int
	after time.Duration
	body  string
}

func (e *answerError) Error() string { return fmt.Sprintf("answered %d: %.200q", e.code, e.body) }

// post posts JSON to an address. Its errors do not hold the address.
func (s *Sender) post(ctx context.Context, address, token string, body any) error {
	b, err := encode(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(b))
	if err != nil {
		return errors.New("its address is no web address")
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := s.http.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err // e has the address
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // of an answer that breaks off, the status counts
	if res.StatusCode/100 == 2 {
		return nil
	}
	if res.StatusCode/100 == 3 {
		said = []byte("it redirects to another address: configure that one")
	}
	n, _ := strconv.Atoi(strings.TrimSpace(res.Header.Get("Retry-After")))
	return &answerError{res.StatusCode, time.Duration(max(n, 0)) * time.Second, string(said)}
}

// faultOf returns what an error of a destination means.
func faultOf(destination string, err error) slack.Fault {
	if destination == alert.ToSlack {
		return slack.FaultOf(err)
	}
	if e, ok := errors.AsType[*answerError](err); ok {
		bad := e.code == http.StatusBadRequest || e.code == http.StatusRequestEntityTooLarge || e.code == http.StatusUnprocessableEntity
		return slack.Fault{Bad: bad, Unknown: e.code >= 500, After: e.after}
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return slack.Fault{} // nothing was sent
	}
	return slack.Fault{Unknown: true}
}
