package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	publishWait = 5 * time.Second
	offlineWait = 2 * time.Second
)

// session is one connection to the broker. When it is lost the dialer makes another.
// Unacknowledged publications are repeated by delivery, not by the MQTT library.
type session struct {
	client   mqtt.Client
	presence presence
	acks     chan<- ack
	closed   <-chan struct{} // closed when delivery no longer reads acks
	lost     chan error      // the error that ended the session
	log      *slog.Logger
}

// presence is the content of the retained message at hearth/<node>/status.
type presence struct {
	node, boot string
	simulated  bool
	timekeeper *timekeeper
}

func (p presence) topic() string { return wire.StatusTopic(p.node) }

func (p presence) status(state string) []byte {
	s := wire.NodeStatus{State: state, Boot: p.boot}
	if p.simulated {
		s.Simulated = 1
	}
	if p.timekeeper.isSet() {
		s.Time = p.timekeeper.now().UTC().Format(wire.TimeLayout)
	}
	b, _ := json.Marshal(s) // strings always encode
	return b
}

// ack is the broker's acknowledgement of one publication, or its failure.
type ack struct {
	from *session
	key  window.Key
	err  error
}

// publish publishes a reading. The acknowledgement is sent to acks when it comes.
func (s *session) publish(topic string, key window.Key, payload []byte) {
	t := s.client.Publish(topic, 1, false, payload)
	go func() {
		select {
		case <-t.Done():
		case <-s.closed:
			return
		}
		select {
		case s.acks <- ack{s, key, t.Error()}:
		case <-s.closed:
		}
	}()
}

// drop gives up a connection that no longer works.
func (s *session) drop(err error) {
	go s.client.Disconnect(0)
	select {
	case s.lost <- err:
	default:
	}
}

// end publishes the status offline and disconnects. The broker does not publish the
// last will after a clean disconnect.
func (s *session) end() {
	ctx, cancel := context.WithTimeout(context.Background(), offlineWait)
	defer cancel()
	if err := await(ctx, s.client.Publish(s.presence.topic(), 1, true, s.presence.status(wire.Offline)), offlineWait); err != nil {
		s.log.Warn("publish the status offline", "err", err)
	}
	s.client.Disconnect(250)
}

// await waits for an MQTT operation, at most patience.
func await(ctx context.Context, t mqtt.Token, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return errors.Join(errors.New("no answer from the broker"), ctx.Err())
	}
}
