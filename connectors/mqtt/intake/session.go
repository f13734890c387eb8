package intake

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/mqttclient"
)

const (
	droppedTopic  = "$SYS/broker/publish/messages/dropped" // Mosquitto's count of what it threw away
	publishWait   = 5 * time.Second
	leaveWait     = 250 // milliseconds for what is being sent
	quickLoss     = 10 * time.Second
	quickLosses   = 3
	refusedFilter = 0x80 // in a SUBACK
	maxBackoff    = time.Minute
)

// session is the MQTT session: persistent, QoS 1, acknowledged by hand.
type session struct {
	log      *slog.Logger
	access   mqttclient.Access
	readOnly bool
	topic    string // always subscribed
	take     func(incoming)
	client   mqtt.Client
	ended    context.Context
	end      context.CancelFunc

	up       atomic.Bool
	complete atomic.Bool  // the broker has every subscription that is wanted
	dropped  atomic.Int64 // the broker's own count, -1 where it has none
	acks     atomic.Bool  // a filter asks for acknowledgements of edge nodes by their name

	mu      sync.Mutex
	wanted  []string
	known   bool            // want was called
	subs    map[string]bool // subscribed in this connection
	heard   map[string]bool // filters whose retained messages came in this connection
	refused map[string]bool // filters that the broker does not allow
	since   time.Time       // of the connection
	quick   int             // connections in a row that were lost soon after they began
}

func newSession(o Options, take func(incoming)) (*session, error) {
	s := &session{log: o.Log, access: o.Broker, readOnly: o.ReadOnly, topic: o.Topic, take: take}
	s.dropped.Store(-1)
	s.ended, s.end = context.WithCancel(context.Background())
	options, err := s.options()
	if err != nil {
		return nil, err
	}
	s.client = mqtt.NewClient(options)
	return s, nil
}

func (s *session) options() (*mqtt.ClientOptions, error) {
	o, err := ClientOptions(s.access)
	if err != nil {
		return nil, err
	}
	o.SetCleanSession(false)   // the broker keeps what comes while we are away
	o.SetAutoAckDisabled(true) // acknowledged when it is on disk
	o.SetConnectRetry(true).SetConnectRetryInterval(2 * time.Second).SetMaxReconnectInterval(10 * time.Second)
	o.SetOrderMatters(true)
	// Before Connect: a persistent session delivers before any Subscribe.
	o.SetDefaultPublishHandler(s.received)
	o.SetOnConnectHandler(s.connected)
	o.SetConnectionLostHandler(s.lost)
	o.SetReconnectingHandler(func(mqtt.Client, *mqtt.ClientOptions) { s.backOff() })
	return o, nil
}

// ClientOptions is how this project's clients reach a broker.
func ClientOptions(a mqttclient.Access) (*mqtt.ClientOptions, error) {
	o, err := a.Options()
	if err != nil {
		return nil, err
	}
	o.SetKeepAlive(30 * time.Second).SetPingTimeout(10 * time.Second).SetConnectTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second)
	if strings.HasPrefix(a.URL, "tcp:") || strings.HasPrefix(a.URL, "mqtt:") {
		o.SetCustomOpenConnectionFn(dial)
	}
	return o, nil
}

func (s *session) received(_ mqtt.Client, m mqtt.Message) {
	if m.Topic() == droppedTopic {
		s.countDropped(m)
		return
	}
	if isAck(m.Topic()) && !s.acks.Load() {
		m.Ack() // where a function listens to hearth/#, our own acknowledgements come back, as many as there are readings
		return
	}
	s.take(incoming{
		Message: message.Message{Topic: m.Topic(), Payload: m.Payload(), Packet: m.MessageID(), QoS: m.Qos(), Retained: m.Retained()},
		dup:     m.Duplicate(), ack: m.Ack,
	})
}

// countDropped logs it when the broker drops messages that we never got.
func (s *session) countDropped(m mqtt.Message) {
	m.Ack()
	n, err := strconv.ParseInt(strings.TrimSpace(string(m.Payload())), 10, 64)
	if err != nil {
		return
	}
	if old := s.dropped.Swap(n); old >= 0 && n > old {
		s.log.Error("the broker dropped messages: raise max_queued_messages in mosquitto.conf", "dropped", n-old)
	}
}

func (s *session) connected(mqtt.Client) {
	s.mu.Lock()
	s.since, s.subs, s.heard, s.refused = time.Now(), map[string]bool{}, map[string]bool{}, map[string]bool{}
	s.mu.Unlock()
	s.complete.Store(false)
	s.up.Store(true)
	s.log.Info("connected to the broker", "broker", s.access.URL, "client", s.access.ClientID)
	go s.subscribe() // the handler must not wait for the network
}

func (s *session) lost(_ mqtt.Client, err error) {
	s.up.Store(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.since) < quickLoss {
		s.quick++
	} else {
		s.quick = 0
	}
	if s.quick == quickLosses {
		s.log.Error("lost the broker again and again right after connecting: probably another client with id "+s.access.ClientID+
			" is running; give each its own MQTT_CLIENT_ID", "err", err)
		return
	}
	s.log.Warn("lost the broker, reconnecting", "err", err)
}

// backOff waits before a reconnect where another client seems to use our id: each
// connection of one ends the other's, and without a wait both would go on for ever.
func (s *session) backOff() {
	s.mu.Lock()
	n := s.quick
	s.mu.Unlock()
	if n >= quickLosses {
		d := min(time.Second<<min(n, 6), maxBackoff)
		pause(s.ended, d/2+rand.N(d/2))
	}
}

func (s *session) publish(topic string, payload []byte, retained bool) bool {
	if s.readOnly || !s.up.Load() {
		return false
	}
	t := s.client.Publish(topic, 1, retained, payload)
	return t.WaitTimeout(publishWait) && t.Error() == nil
}

func (s *session) leave() {
	s.end()
	s.client.Disconnect(leaveWait)
}
