package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/hearth-home/hearth/shared/pause"
)

const (
	maxEnvelope = 1 << 20                 // bytes of one message of Slack, which has the whole post with the button
	appendTime  = 2500 * time.Millisecond // Slack waits 3 s for the acknowledgement
	connectTime = 30 * time.Second        // of a request to Slack; also the pause between two tries to connect
	reasonBytes = 300                     // of a text of Slack or the function that is logged
)

// socket is the state of the connection to Slack.
type socket struct {
	connected atomic.Bool
	mu        sync.Mutex
	problem   string // why it is not connected; "": it is, or it was not tried yet
}

func (s *socket) set(problem string) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed = s.problem != problem
	s.problem = problem
	return changed
}

func (s *socket) why() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// listen receives clicks until ctx ends. It reads the token again before each try.
func (r *Relay) listen(ctx context.Context) {
	for ctx.Err() == nil {
		wait := r.pause
		if token := r.config.AppToken.Reveal(); token == "" {
			r.failed(errors.New("the secret " + r.config.AppToken.Name() + " is missing or empty"))
		} else if err := r.connection(ctx, token); err != nil && ctx.Err() == nil {
			r.failed(err)
			if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
				wait = max(wait, limited.RetryAfter)
			}
		}
		r.socket.connected.Store(false)
		pause.For(ctx, wait)
	}
}

// failed notes why Slack is not connected. It logs each reason once in a row.
func (r *Relay) failed(err error) {
	r.socket.connected.Store(false)
	if text := r.Redact(err.Error(), reasonBytes); r.socket.set(text) {
		r.Log.Warn("Slack is not connected: it is tried again until it works", "err", text)
	}
}

// connection keeps a socket open, which slack-go opens again when it breaks. It returns when
// Slack refuses the token, when it cannot be reached for long, or when ctx ends.
func (r *Relay) connection(ctx context.Context, token string) error {
	api := slack.New("", slack.OptionAppLevelToken(token), slack.OptionAPIURL(r.config.URL), slack.OptionHTTPClient(client(connectTime)))
	c := socketmode.New(api, socketmode.OptionReadLimit(maxEnvelope))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() { ended <- c.RunContext(ctx) }()
	for {
		select {
		case e := <-c.Events:
			if err := r.take(ctx, c, e); err != nil {
				cancel(err)
			}
		case err := <-ended:
			if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
				return cause
			}
			return err
		}
	}
}

// take handles an event of the socket. An error means that the next try to connect would
// come too late.
func (r *Relay) take(ctx context.Context, c *socketmode.Client, e socketmode.Event) error {
	switch data := e.Data.(type) {
	case *socketmode.ConnectedEvent:
		r.socket.connected.Store(true)
		if r.socket.set("") || data.ConnectionCount == 0 {
			r.Log.Info("connected to Slack")
		}
	case *slack.ConnectingEvent:
		r.socket.connected.Store(false)
	case *slack.ConnectionErrorEvent:
		r.failed(data.ErrorObj)
		if data.Backoff > r.pause {
			return data.ErrorObj
		}
	case *socketmode.ErrorBadMessage:
		r.Log.Warn("Slack has sent something that is not understood", "err", r.Redact(data.Cause.Error(), reasonBytes))
	}
	if e.Request != nil && e.Request.EnvelopeID != "" {
		r.receive(ctx, c, e)
	}
	return nil
}

// receive writes the clicks of an event to the spool, and only then acknowledges them. Slack
// tells the user that a button does not work if it is not acknowledged.
func (r *Relay) receive(ctx context.Context, c *socketmode.Client, e socketmode.Event) {
	ctx, cancel := context.WithTimeout(ctx, appendTime)
	defer cancel()
	found, err := clicks(e, r.Now())
	if err != nil {
		r.Log.Warn("a click is not understood", "err", r.Redact(err.Error(), reasonBytes))
		r.stats.refused.Add(1)
		return
	}
	if err := r.store(ctx, found); err != nil {
		r.Log.Error("a click cannot be kept: Slack says that the button does not work", "err", r.Redact(err.Error(), reasonBytes))
		r.stats.refused.Add(1)
		return
	}
	if err := c.AckCtx(ctx, e.Request.EnvelopeID, nil); err != nil {
		r.Log.Warn("a click is kept, but could not be acknowledged to Slack", "err", r.Redact(err.Error(), reasonBytes))
	}
}

// store writes the clicks that are new to the spool.
func (r *Relay) store(ctx context.Context, found []click) error {
	var records [][]byte
	var fresh []click
	for _, c := range found {
		if r.seen.has(c) {
			r.stats.repeated.Add(1)
			continue
		}
		fresh, records = append(fresh, c), append(records, c.encode())
	}
	if len(records) == 0 {
		return nil
	}
	seq, err := r.spool.Append(ctx, records...)
	if err != nil {
		return fmt.Errorf("write to the spool: %w", err)
	}
	for _, c := range fresh {
		r.seen.add(c, seq)
		seq++
	}
	r.stats.taken.Add(uint64(len(fresh)))
	return nil
}
