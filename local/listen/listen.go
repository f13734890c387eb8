// Package listen subscribes to a topic for a while, reports what is published there, and
// proposes how to map it in hearth.yml.
package listen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/topic"
)

const (
	maxTopics  = 200
	maxPayload = 64 << 10         // bytes of a payload that are kept
	settle     = 10 * time.Second // how long it waits for another topic of a filter with wildcards
	linger     = 2 * time.Second  // how long it waits for a live message after a retained one
	refused    = 0x80             // the return code of a refused filter in a SUBACK
)

// Result is what was published at the topics of a filter.
type Result struct {
	FunctionOf func(topic string) string // the function that stores a topic without a mapping, or ""; nil: none
	More       int                       // messages at topics beyond maxTopics

	filter string
	topics []*published
}

// published is what was published at one topic.
type published struct {
	Name     string
	count    int
	retained bool   // only the retained message was received
	payload  []byte // of the last message, at most maxPayload
}

// To connects by o, subscribes to filter, calls begin and returns what it received. It ends after
// span, or when ctx ends, or earlier when it has received enough: for a filter without
// wildcards one live message (or linger after a retained one), else when no new topic
// came for settle. It is an error if the broker refuses the filter, or if the connection
// is lost before the end, and a ConnectError if the broker cannot be reached.
func To(ctx context.Context, o *mqtt.ClientOptions, filter string, span time.Duration, begin func()) (*Result, error) {
	if err := topic.Check(filter); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	ctx, lose := context.WithCancelCause(ctx)
	defer lose(nil)
	h := &listener{result: Result{filter: filter}, byName: map[string]*published{}, wild: strings.ContainsAny(filter, "+#"), wake: make(chan struct{}, 1)}
	o.SetCleanSession(true).SetAutoReconnect(false).SetOrderMatters(true)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lose(lostError{err}) })
	client := mqtt.NewClient(o)
	if err := wait(ctx, client.Connect()); err != nil {
		client.Disconnect(0)
		return nil, ConnectError{err}
	}
	defer client.Disconnect(100)
	t := client.Subscribe(filter, 1, func(_ mqtt.Client, m mqtt.Message) { h.take(m) })
	if err := wait(ctx, t); err != nil {
		return nil, err
	}
	if s, ok := t.(*mqtt.SubscribeToken); ok && s.Result()[filter] == refused {
		return nil, fmt.Errorf("the broker refuses the subscription to %q: check its access rules", filter)
	}
	begin()
	h.wait(ctx)
	if lost, ok := errors.AsType[lostError](context.Cause(ctx)); ok {
		return nil, lost
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortFunc(h.result.topics, func(a, b *published) int { return strings.Compare(a.Name, b.Name) })
	return &h.result, nil
}

// ConnectError is the error of an attempt to connect. mqttclient.Access.Explain explains it.
type ConnectError struct{ error }

// Unwrap returns the error of the attempt.
func (e ConnectError) Unwrap() error { return e.error }

// lostError says why the connection was lost.
type lostError struct{ error }

func (e lostError) Error() string { return "the connection was lost: " + e.error.Error() }

// wait waits for the broker's answer.
func wait(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", context.Cause(ctx))
	}
}

type listener struct {
	wild bool          // the filter has wildcards
	wake chan struct{} // receives a value after a message

	mu     sync.Mutex
	result Result
	byName map[string]*published
	newest time.Time // when the last new topic was received
	live   bool      // a message that was not retained was received
}

func (h *listener) take(m mqtt.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.byName[m.Topic()]
	switch {
	case t != nil:
	case len(h.byName) >= maxTopics:
		h.result.More++
		return
	default:
		t = &published{Name: m.Topic(), retained: true}
		h.byName[t.Name] = t
		h.result.topics = append(h.result.topics, t)
		h.newest = time.Now()
	}
	t.count++
	t.retained = t.retained && m.Retained()
	h.live = h.live || !m.Retained()
	payload, _ := mqttclient.Cut(m.Payload())
	t.payload = append([]byte{}, payload[:min(len(payload), maxPayload)]...) // not null in JSON
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// wait returns when ctx ends or enough was received.
func (h *listener) wait(ctx context.Context) {
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

// left returns how much longer to listen; any is false while nothing was received.
func (h *listener) left() (left time.Duration, any bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	patience := settle
	if !h.wild {
		patience = linger
		if h.live {
			patience = 0
		}
	}
	return patience - time.Since(h.newest), len(h.byName) > 0
}
