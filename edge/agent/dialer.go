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
	keepAlive   = 15 * time.Second // a silent loss is noticed within twice as much
	minBackoff  = 500 * time.Millisecond
	maxBackoff  = 15 * time.Second
	steadyAfter = 30 * time.Second // a connection that lasts so long forgets earlier failures
	quickLosses = 4                // in a row, which look as if another client had our id
)

// dialer keeps a session with the broker. What comes of it goes out by channels.
type dialer struct {
	access   mqttclient.Access
	presence presence
	log      *slog.Logger
	saidAway bool // of run

	links  chan link
	acks   chan ack
	places chan wire.Place
	over   chan struct{} // closed at the end: nobody reads the others any more
}

// link is a session that came or went.
type link struct {
	session *session
	up      bool
}

// newDialer returns one that has not dialled yet. An error names a setting.
func newDialer(c Config, p presence, log *slog.Logger) (*dialer, error) {
	d := &dialer{
		presence: p, log: log,
		access: mqttclient.Access{
			URL: c.URL, ClientID: "hearth-edge-" + c.Node, User: c.User, Password: c.Password,
			CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile,
		},
		links: make(chan link), acks: make(chan ack, 256), places: make(chan wire.Place, 16), over: make(chan struct{}),
	}
	_, err := d.options(nil)
	return d, err
}

// end lets go of what still waits to hand something over.
func (d *dialer) end() { close(d.over) }

// run connects again and again until ctx ends.
func (d *dialer) run(ctx context.Context) {
	backoff, quick := minBackoff, 0
	for ctx.Err() == nil {
		began := time.Now()
		s, err := d.connect(ctx)
		if err == nil {
			d.pass(ctx, link{s, true})
			select {
			case err = <-s.lost:
			case <-ctx.Done():
				return // the delivery says offline on this session
			}
			d.pass(ctx, link{s, false})
		}
		if time.Since(began) > steadyAfter {
			backoff, quick = minBackoff, 0
		} else if s != nil {
			quick++
		}
		d.logLoss(s != nil, quick, err)
		if (driver.RealClock{}).Wait(ctx, backoff/2+rand.N(backoff)) != nil {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func (d *dialer) pass(ctx context.Context, l link) {
	select {
	case d.links <- l:
	case <-ctx.Done():
	}
}

// logLoss logs a loss, and the first of several failures to connect.
func (d *dialer) logLoss(had bool, quick int, err error) {
	switch {
	case had && quick == quickLosses:
		d.log.Error("lost the broker again and again right after connecting: probably another agent with NODE="+d.presence.node+" is running", "err", err)
	case had:
		d.log.Warn("lost the broker", "err", err)
	case !d.saidAway:
		d.log.Warn("the broker cannot be reached; readings are kept until it can", "broker", d.access.URL, "err", err)
	}
	d.saidAway = true
}

// connect opens a session: it listens to what is stored, and says online.
func (d *dialer) connect(ctx context.Context) (*session, error) {
	s := &session{presence: d.presence, acks: d.acks, over: d.over, lost: make(chan error, 1), log: d.log}
	o, err := d.options(s.lost)
	if err != nil {
		return nil, err
	}
	s.client = mqtt.NewClient(o)
	if err := await(ctx, s.client.Connect(), connectWait+time.Second); err != nil {
		s.client.Disconnect(0)
		return nil, fmt.Errorf("connect: %w", err)
	}
	err = await(ctx, s.client.Subscribe(wire.StoredTopic(d.presence.node), 1, d.heard), publishWait)
	if err == nil {
		err = await(ctx, s.client.Publish(d.presence.topic(), 1, true, d.presence.status(wire.Online)), publishWait)
	}
	if err != nil {
		s.client.Disconnect(0)
		return nil, fmt.Errorf("subscribe and say online: %w", err)
	}
	d.log.Info("connected to the broker", "broker", d.access.URL)
	d.saidAway = false
	return s, nil
}

// options are those of a session, which says on lost why it ended.
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

// heard receives the number up to which the node's readings are stored. If nobody takes
// it in time nothing is lost: the next one comes within 5 s of the next reading.
func (d *dialer) heard(_ mqtt.Client, m mqtt.Message) {
	p, ok := parsePlace(m.Payload())
	if !ok {
		return // not ours to judge
	}
	select {
	case d.places <- p:
	default:
	}
}

func parsePlace(payload []byte) (p wire.Place, ok bool) {
	err := json.Unmarshal(payload, &p)
	return p, err == nil && p.Boot != ""
}
