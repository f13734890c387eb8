package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	connectWait = 10 * time.Second
	keepAlive   = 15 * time.Second // a connection that fails without an error is noticed within twice this time
	minBackoff  = 500 * time.Millisecond
	maxBackoff  = 15 * time.Second
	steadyAfter = 30 * time.Second // a connection that lasts so long resets the backoff
	maxPayload  = 4 << 10          // bytes of a stored message; a larger one is none
	refused     = 0x80             // the return code of a refused filter in a SUBACK
)

// dialer keeps a session with the broker. It sends session changes, acknowledgements
// and stored messages to channels that delivery reads.
type dialer struct {
	access   mqttclient.Access
	presence presence
	log      *slog.Logger
	broker   *mqttclient.Reporter

	sessions chan sessionChange
	acks     chan ack
	stored   chan wire.StoredUpTo
	closed   chan struct{} // closed at the end, when nobody reads the other channels any more
}

// sessionChange is the start (up) or the end of a session.
type sessionChange struct {
	session *session
	up      bool
}

// newDialer returns a dialer that has not connected yet. An error names the setting that
// is wrong.
func newDialer(c Config, p presence, log *slog.Logger) (*dialer, error) {
	d := &dialer{
		presence: p, log: log,
		access: mqttclient.Access{
			URL: c.URL, ClientID: "hearth-edge-" + c.Node, User: c.User, Password: c.Password,
			CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, MaxPayload: maxPayload,
			IDAdvice: "set NODE to a name that no other agent uses",
		},
		sessions: make(chan sessionChange), acks: make(chan ack, 256), stored: make(chan wire.StoredUpTo, 16), closed: make(chan struct{}),
	}
	o, err := d.options(nil)
	if err != nil {
		return nil, err
	}
	d.access.URL = o.Servers[0].String() // as completed
	d.broker = mqttclient.NewReporter(d.access, log)
	return d, nil
}

// close releases the goroutines that wait to send an acknowledgement.
func (d *dialer) close() { close(d.closed) }

// run connects, and reconnects with backoff and jitter, until ctx ends.
func (d *dialer) run(ctx context.Context) {
	backoff := minBackoff
	for ctx.Err() == nil {
		began := time.Now()
		s, err := d.connect(ctx)
		if err == nil {
			d.send(ctx, sessionChange{s, true})
			select {
			case err = <-s.lost:
			case <-ctx.Done():
				return // delivery publishes offline in this session
			}
			d.send(ctx, sessionChange{s, false})
		}
		if ctx.Err() != nil { // what failed was stopped
			return
		}
		if time.Since(began) > steadyAfter {
			backoff = minBackoff
		}
		if s != nil {
			d.broker.Lost(err)
		} else {
			d.failed(ctx, err)
		}
		if (driver.RealClock{}).Wait(ctx, backoff/2+rand.N(backoff)) != nil {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// failed reports that an attempt to connect failed. It returns when ctx ends, even if the
// server is still being asked what it is.
func (d *dialer) failed(ctx context.Context, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.broker.Failed(err)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// send passes a session change to delivery.
func (d *dialer) send(ctx context.Context, l sessionChange) {
	select {
	case d.sessions <- l:
	case <-ctx.Done():
	}
}

// connect opens a session: it connects, subscribes to stored messages and publishes the
// status online.
func (d *dialer) connect(ctx context.Context) (*session, error) {
	s := &session{presence: d.presence, acks: d.acks, closed: d.closed, lost: make(chan error, 1), log: d.log}
	o, err := d.options(s.lost)
	if err != nil {
		return nil, err
	}
	s.client = mqtt.NewClient(o)
	if err := await(ctx, s.client.Connect(), connectWait+time.Second); err != nil {
		s.client.Disconnect(0)
		return nil, fmt.Errorf("connect: %w", err)
	}
	stored := s.client.Subscribe(wire.StoredTopic(d.presence.node), 1, d.onStored)
	err = await(ctx, stored, publishWait)
	if err == nil {
		err = await(ctx, s.client.Publish(d.presence.topic(), 1, true, d.presence.status(wire.Online)), publishWait)
	}
	if err != nil {
		s.client.Disconnect(0)
		return nil, fmt.Errorf("subscribe and publish the status online: %w", err)
	}
	d.broker.Connected()
	d.broker.Refused(refusedFilters(stored))
	return s, nil
}

// refusedFilters returns the filters to which the broker allows no subscription.
func refusedFilters(t mqtt.Token) (filters []string) {
	if s, ok := t.(*mqtt.SubscribeToken); ok {
		for filter, code := range s.Result() {
			if code == refused {
				filters = append(filters, filter)
			}
		}
	}
	return filters
}

// options returns the MQTT options of a session. When the connection is lost, the error
// is sent to lost.
func (d *dialer) options(lost chan<- error) (*mqtt.ClientOptions, error) {
	o, err := d.access.Options()
	if err != nil {
		return nil, err
	}
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).
		SetKeepAlive(keepAlive).SetPingTimeout(keepAlive).SetConnectTimeout(connectWait).SetWriteTimeout(publishWait).
		SetBinaryWill(d.presence.topic(), d.presence.status(wire.Offline), 1, true)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		select {
		case lost <- err:
		default:
		}
	})
	return o, nil
}

// onStored passes a stored message to delivery. It drops the message if the channel is
// full: another one follows within 5 s of the next reading. One that was cut is no JSON.
func (d *dialer) onStored(_ mqtt.Client, m mqtt.Message) {
	p, ok := parseStored(m.Payload())
	if !ok {
		return // not a stored message of a connector
	}
	select {
	case d.stored <- p:
	default:
	}
}

// parseStored decodes a stored message; ok is false if it names no boot.
func parseStored(payload []byte) (p wire.StoredUpTo, ok bool) {
	err := json.Unmarshal(payload, &p)
	return p, err == nil && p.Boot != ""
}
