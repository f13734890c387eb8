package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
)

const (
	functionPath = "/function/alert-deadlines/action"
	maxAnswer    = 256 << 10        // bytes of the function's answer; Slack takes 50 blocks
	replyTime    = 10 * time.Second // of one request to a response_url
)

// answer is what the function says: what the user sees.
type answer struct {
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks,omitempty"`
	Replace bool            `json:"replace"` // the message with the button becomes this; else only the user sees it, below
}

// verdict is what a status of the function means.
type verdict int

const (
	done    verdict = iota // 200
	refused                // it will never carry this click out
	away                   // function, gateway or store cannot do anything at present
	failed                 // 500, 502 or no answer in time: this click may be the cause
)

// caller makes the requests to the function and to Slack.
type caller struct {
	url          string
	token        secret.String
	slack        *url.URL // the API of Slack
	calls, reply *http.Client
}

func newCaller(c Config) *caller {
	slack, _ := config.URL(c.URL) // Config.check has looked
	r := client(replyTime)
	r.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &caller{url: strings.TrimSuffix(c.Gateway, "/") + functionPath, token: c.Token, slack: slack, calls: client(c.CallTimeout), reply: r}
}

// call calls the function with a click.
func (c *caller) call(ctx context.Context, k click) (verdict, answer, error) {
	k.Envelope, k.Reply = "", ""
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(k.encode()))
	if err != nil {
		return away, answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "hearth-slack-connector")
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	res, err := c.calls.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok && e.Timeout() {
			return failed, answer{}, errors.New("the function does not answer in time")
		}
		return away, answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return failed, answer{}, fmt.Errorf("read the function's answer: %w", err)
	}
	return judge(res.StatusCode, body)
}

// judge decides what the function's answer means.
func judge(code int, body []byte) (verdict, answer, error) {
	var a answer
	err := fmt.Errorf("answered %d: %.300q", code, body)
	switch {
	case code == http.StatusOK:
		if e := json.Unmarshal(body, &a); e != nil {
			return failed, answer{}, fmt.Errorf("decode the function's answer: %w", e)
		}
		return done, a, nil
	case code == http.StatusInternalServerError || code == http.StatusBadGateway || code == http.StatusRequestTimeout:
		return failed, a, err
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusNotFound || code == http.StatusTooManyRequests || code >= 500:
		return away, a, err
	}
	return refused, a, err
}

// errGone is the error of a response_url that has expired or was used five times.
var errGone = errors.New("the response_url takes no answer any more")

// answer posts an answer to a response_url. No error quotes the address.
func (c *caller) answer(ctx context.Context, address string, a answer) error {
	if u, err := config.URL(address); err != nil || u.Host != c.slack.Host && !strings.HasSuffix(u.Host, ".slack.com") && !strings.HasSuffix(u.Host, ".slack-gov.com") {
		return errGone
	}
	body := map[string]any{"text": a.Text, "replace_original": a.Replace}
	if !a.Replace {
		body["response_type"] = "ephemeral"
	}
	if len(a.Blocks) > 0 && string(a.Blocks) != "null" {
		body["blocks"] = a.Blocks
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(b))
	if err != nil {
		return errGone
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.reply.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("answer to Slack: %w", e.Err) // e has the address
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	switch {
	case res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		return fmt.Errorf("answer to Slack: it answered %d", res.StatusCode)
	}
	return fmt.Errorf("%w: it answered %d: %.200q", errGone, res.StatusCode, text)
}
