// Package listen hears what is published at a topic and proposes how to map it.
package listen

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/topic"
)

const (
	maxTopics  = 200
	maxPayload = 64 << 10         // looked at
	settle     = 10 * time.Second // after the last new topic of a filter
	linger     = 2 * time.Second  // after a retained message: a live one may come
)

// Heard is what was published while we listened.
type Heard struct {
	filter string
	topics []*published
	More   int // messages at further topics
}

// published is what was published at one topic.
type published struct {
	Name     string
	count    int
	retained bool   // nothing but the retained message came
	payload  []byte // the newest
}

// To listens until span is over, ctx ends, or it is clear that no more comes: a
// topic without wildcards has spoken, or no new one came for a while.
func To(ctx context.Context, o *mqtt.ClientOptions, filter string, span time.Duration) (*Heard, error) {
	if err := topic.Check(filter); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	h := &hearing{heard: Heard{filter: filter}, byName: map[string]*published{}, wild: strings.ContainsAny(filter, "+#"), wake: make(chan struct{}, 1)}
	o.SetCleanSession(true).SetAutoReconnect(false).SetOrderMatters(true)
	client := mqtt.NewClient(o)
	if err := wait(ctx, client.Connect()); err != nil {
		client.Disconnect(0)
		return nil, err
	}
	defer client.Disconnect(100)
	if err := wait(ctx, client.Subscribe(filter, 1, func(_ mqtt.Client, m mqtt.Message) { h.take(m) })); err != nil {
		return nil, err
	}
	h.wait(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortFunc(h.heard.topics, func(a, b *published) int { return strings.Compare(a.Name, b.Name) })
	return &h.heard, nil
}

// wait waits for the broker's answer.
func wait(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
}

type hearing struct {
	wild bool
	wake chan struct{} // something was heard

	mu     sync.Mutex
	heard  Heard
	byName map[string]*published
	news   time.Time // when the last new topic came
	live   bool      // a message that was not retained came
}

func (h *hearing) take(m mqtt.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.byName[m.Topic()]
	switch {
	case t != nil:
	case len(h.byName) >= maxTopics:
		h.heard.More++
		return
	default:
		t = &published{Name: m.Topic(), retained: true}
		h.byName[t.Name] = t
		h.heard.topics = append(h.heard.topics, t)
		h.news = time.Now()
	}
	t.count++
	t.retained = t.retained && m.Retained()
	h.live = h.live || !m.Retained()
	t.payload = slices.Clone(m.Payload()[:min(len(m.Payload()), maxPayload)])
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// wait returns when enough was heard.
func (h *hearing) wait(ctx context.Context) {
	for {
		var after <-chan time.Time
		if left, any := h.left(); any {
			if left <= 0 {
				return
			}
			after = time.After(left)
		}
		select {
		case <-ctx.Done():
			return
		case <-after:
		case <-h.wake:
		}
	}
}

// left is how long to go on; any is false while nothing was heard.
func (h *hearing) left() (left time.Duration, any bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	quiet := settle
	if !h.wild {
		quiet = linger
		if h.live {
			quiet = 0
		}
	}
	return quiet - time.Since(h.news), len(h.byName) > 0
}
