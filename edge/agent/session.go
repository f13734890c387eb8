package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/mqttclient"
)

const (
	connectWait  = 10 * time.Second
	publishWait  = 5 * time.Second
	keepAlive    = 15 * time.Second // a silent loss is noticed within twice as much
	minBackoff   = 500 * time.Millisecond
	maxBackoff   = 15 * time.Second
	steadyAfter  = 30 * time.Second // a connection that lasts so long forgets earlier failures
	quickLosses  = 4                // in a row, which look as if another client had our id
	farewellWait = 2 * time.Second
)

// session is one connection to the broker. When it breaks another one is made:
// what was under way is the window's business, not the library's.
type session struct {
	client mqtt.Client
	lost   chan error
}

// ack is the broker's acknowledgement of one publication, or its failure.
type ack struct {
	from *session
	key  window.Key
	err  error
}

// link is a connection that came (session set) or went.
type link struct {
	session *session
	up      bool
}

// place is what hearth/<node>/stored says.
type place struct {
	Boot string `json:"boot"`
	Seq  uint64 `json:"seq"`
}

// status is what hearth/<node>/status says, retained.
type status struct {
	State     string `json:"state"`
	Boot      string `json:"boot"`
	Time      string `json:"time,omitempty"`
	Simulated int    `json:"simulated"` // 1: the sensors are; a number, as all that hearth keeps of a node
}

func (a *Agent) statusTopic() string { return "hearth/" + a.cfg.Node + "/status" }
func (a *Agent) storedTopic() string { return "hearth/" + a.cfg.Node + "/stored" }

func (a *Agent) status(state string) []byte {
	s := status{State: state, Boot: a.boot}
	if a.machine != nil && a.machine.Simulated {
		s.Simulated = 1
	}
	if a.clockOK.Load() {
		s.Time = a.clock.Wall().UTC().Format(timeLayout)
	}
	b, _ := json.Marshal(s) // strings always encode
	return b
}

// keepConnected connects again and again until ctx ends.
func (a *Agent) keepConnected(ctx context.Context) {
	backoff, quick := minBackoff, 0
	for ctx.Err() == nil {
		began := time.Now()
		s, err := a.connect(ctx)
		if err == nil {
			a.send(ctx, link{s, true})
			select {
			case err = <-s.lost:
			case <-ctx.Done():
				return // whoever ends us says good-bye on this connection
			}
			a.send(ctx, link{s, false})
		}
		if time.Since(began) > steadyAfter {
			backoff, quick = minBackoff, 0
		} else if s != nil {
			quick++
		}
		a.sayOffline(s != nil, quick, err)
		if (driver.RealClock{}).Wait(ctx, backoff/2+rand.N(backoff)) != nil {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func (a *Agent) send(ctx context.Context, l link) {
	select {
	case a.links <- l:
	case <-ctx.Done():
	}
}

// sayOffline logs a loss, and the first of several failures to connect.
func (a *Agent) sayOffline(had bool, quick int, err error) {
	switch {
	case had && quick == quickLosses:
		a.log.Error("lost the broker again and again right after connecting: probably another agent with NODE="+a.cfg.Node+" is running", "err", err)
	case had:
		a.log.Warn("lost the broker", "err", err)
	case !a.saidAway:
		a.log.Warn("the broker cannot be reached; readings are kept until it can", "broker", a.cfg.URL, "err", err)
	}
	a.saidAway = true
}

func (a *Agent) connect(ctx context.Context) (*session, error) {
	s := &session{lost: make(chan error, 1)}
	o, err := a.options(s)
	if err != nil {
		return nil, err
	}
	s.client = mqtt.NewClient(o)
	if err := await(ctx, s.client.Connect(), connectWait+time.Second); err != nil {
		s.client.Disconnect(0)
		return nil, fmt.Errorf("connect: %w", err)
	}
	err = await(ctx, s.client.Subscribe(a.storedTopic(), 1, a.heard), publishWait)
	if err == nil {
		err = await(ctx, s.client.Publish(a.statusTopic(), 1, true, a.status("online")), publishWait)
	}
	if err != nil {
		s.client.Disconnect(0)
		return nil, fmt.Errorf("say hello: %w", err)
	}
	a.log.Info("connected to the broker", "broker", a.cfg.URL)
	a.saidAway = false
	return s, nil
}

func (a *Agent) options(s *session) (*mqtt.ClientOptions, error) {
	c := a.cfg
	o, err := mqttclient.Access{URL: c.URL, ClientID: "hearth-edge-" + c.Node, User: c.User, Password: c.Password, CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile}.Options()
	if err != nil {
		return nil, err
	}
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true).
		SetKeepAlive(keepAlive).SetPingTimeout(keepAlive).SetConnectTimeout(connectWait).SetWriteTimeout(publishWait).
		SetBinaryWill(a.statusTopic(), a.status("offline"), 1, true)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		select {
		case s.lost <- err:
		default:
		}
	})
	return o, nil
}

// heard takes the node's place. One that is not taken in time is no loss: the
// next comes within a second of the next reading.
func (a *Agent) heard(_ mqtt.Client, m mqtt.Message) {
	p, ok := parsePlace(m.Payload())
	if !ok {
		return // not ours to judge
	}
	select {
	case a.places <- p:
	default:
	}
}

func parsePlace(payload []byte) (p place, ok bool) {
	err := json.Unmarshal(payload, &p)
	return p, err == nil && p.Boot != ""
}

// publish sends a reading and passes the acknowledgement on when it comes.
func (s *session) publish(a *Agent, topic string, key window.Key, payload []byte) {
	t := s.client.Publish(topic, 1, false, payload)
	go func() {
		select {
		case <-t.Done():
		case <-a.over:
			return
		}
		select {
		case a.acks <- ack{s, key, t.Error()}:
		case <-a.over:
		}
	}()
}

// drop ends a connection that no longer works.
func (s *session) drop(err error) {
	go s.client.Disconnect(0)
	select {
	case s.lost <- err:
	default:
	}
}

// farewell says offline, which the will does not on a clean end.
func (s *session) farewell(a *Agent) {
	ctx, cancel := context.WithTimeout(context.Background(), farewellWait)
	defer cancel()
	if err := await(ctx, s.client.Publish(a.statusTopic(), 1, true, a.status("offline")), farewellWait); err != nil {
		a.log.Warn("say offline", "err", err)
	}
	s.client.Disconnect(250)
}

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
