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
	"github.com/hearth-home/hearth/shared/pause"
)

const (
	droppedTopic  = "$SYS/broker/publish/messages/dropped" // Mosquitto's count of dropped messages
	publishWait   = 5 * time.Second
	leaveWait     = 250         // milliseconds for the packets in flight
	refusedFilter = 0x80        // return code in a SUBACK
	askAgain      = time.Minute // interval of the subscriptions to refused filters
	maxBackoff    = time.Minute
)

// session is the connector's MQTT session: persistent, QoS 1, with acknowledgements
// that the writer sends.
type session struct {
	log      *slog.Logger
	access   mqttclient.Access
	readOnly bool
	topic    string // always subscribed
	enqueue  func(incoming)
	client   mqtt.Client
	reporter *mqttclient.Reporter
	ctx      context.Context // of the whole session; ended by leave
	cancel   context.CancelFunc

	up         atomic.Bool  // connected
	complete   atomic.Bool  // the broker has all wanted subscriptions
	dropped    atomic.Int64 // the broker's own count of dropped messages; -1: it reports none
	acksWanted atomic.Bool  // a filter names the topic of the acknowledgements to edge nodes

	mu          sync.Mutex
	wanted      []string        // filters
	filtersSet  bool            // setFilters was called
	subs        map[string]bool // filters that are subscribed in this connection
	gotRetained map[string]bool // filters whose retained messages the broker sends in this connection
	refused     map[string]bool // filters that the broker does not allow
	refusedAt   time.Time       // when it last refused one
	subFailed   bool            // a subscription failed in this connection, and that was logged
}

// newSession returns a session that is not connected yet. enqueue is called for each
// message.
func newSession(o Options, enqueue func(incoming)) (*session, error) {
	s := &session{log: o.Log, access: o.Broker, readOnly: o.ReadOnly, topic: o.Topic, enqueue: enqueue}
	s.access.MaxPayload = int(o.Recent.limit(mqttclient.MaxPayload))
	s.dropped.Store(-1)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	options, err := s.options()
	if err != nil {
		return nil, err
	}
	s.access.URL = options.Servers[0].String() // as completed
	s.reporter = mqttclient.NewReporter(s.access, o.Log)
	s.client = mqtt.NewClient(options)
	return s, nil
}

// options returns the library's options for the session.
func (s *session) options() (*mqtt.ClientOptions, error) {
	o, err := ClientOptions(s.access)
	if err != nil {
		return nil, err
	}
	o.SetCleanSession(false)   // the broker queues messages while the connector is not connected
	o.SetAutoAckDisabled(true) // the writer acknowledges
	o.SetConnectRetry(true).SetConnectRetryInterval(2 * time.Second).SetMaxReconnectInterval(10 * time.Second)
	o.SetOrderMatters(true)
	// Set before Connect: a persistent session delivers messages before any Subscribe.
	o.SetDefaultPublishHandler(s.received)
	o.SetOnConnectHandler(s.connected)
	o.SetConnectionLostHandler(s.lost)
	o.SetConnectionNotificationHandler(s.notified)
	o.SetReconnectingHandler(func(mqtt.Client, *mqtt.ClientOptions) { s.backOff() })
	return o, nil
}

// ClientOptions returns the options with which hearth's MQTT clients connect to the
// broker a. It reports errors in a.
func ClientOptions(a mqttclient.Access) (*mqtt.ClientOptions, error) {
	o, err := a.Options()
	if err != nil {
		return nil, err
	}
	o.SetKeepAlive(30 * time.Second).SetPingTimeout(10 * time.Second).SetConnectTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second)
	if scheme := o.Servers[0].Scheme; scheme == "tcp" || scheme == "mqtt" {
		bufferWrites(o)
	}
	return o, nil
}

// received is called by the MQTT library for each message, one at a time.
func (s *session) received(_ mqtt.Client, m mqtt.Message) {
	if m.Topic() == droppedTopic {
		s.countDropped(m)
		return
	}
	if isAck(m.Topic()) && !s.acksWanted.Load() {
		m.Ack() // not stored: a function with hearth/# would be called for each acknowledgement that the connector publishes
		return
	}
	payload, size := mqttclient.Cut(m.Payload())
	in := incoming{
		Message: message.Message{Topic: m.Topic(), Payload: payload, Packet: m.MessageID(), QoS: m.Qos(), Retained: m.Retained()},
		dup:     m.Duplicate(), ack: m.Ack,
	}
	if size > len(payload) {
		in.size = size
	}
	s.enqueue(in)
}

// countDropped reads the broker's count of dropped messages and logs an increase.
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

// connected is called by the MQTT library after each connect.
func (s *session) connected(c mqtt.Client) {
	if !c.IsConnectionOpen() {
		return // it was lost meanwhile
	}
	s.mu.Lock()
	s.subs, s.gotRetained, s.refused, s.subFailed = map[string]bool{}, map[string]bool{}, map[string]bool{}, false
	s.mu.Unlock()
	s.complete.Store(false)
	s.up.Store(true)
	s.reporter.Connected()
	go s.subscribe() // the handler must not wait for the network
}

// notified is called by the MQTT library at each change of the connection. Only here it
// tells why an attempt to connect failed.
func (s *session) notified(_ mqtt.Client, n mqtt.ConnectionNotification) {
	if s.ctx.Err() != nil { // the connection ends because it is to end
		return
	}
	if failed, ok := n.(mqtt.ConnectionNotificationFailed); ok {
		s.reporter.Failed(failed.Reason)
	}
}

// lost is called by the MQTT library when the connection is lost.
func (s *session) lost(_ mqtt.Client, err error) {
	s.up.Store(false)
	if s.ctx.Err() == nil {
		s.reporter.Lost(err)
	}
}

// backOff waits before a reconnect if another client seems to have the same id. A
// broker ends the old connection when a client with the same id connects, so that
// without a wait the two clients would disconnect each other without end.
func (s *session) backOff() {
	if s.reporter.TooManyQuickLosses() {
		d := min(time.Second<<min(s.reporter.QuickLosses(), 6), maxBackoff)
		pause.For(s.ctx, d/2+rand.N(d/2))
	}
}

// publish reports whether the broker has acknowledged the message.
func (s *session) publish(topic string, payload []byte, retained bool) bool {
	if s.readOnly || !s.up.Load() {
		return false
	}
	t := s.client.Publish(topic, 1, retained, payload)
	return t.WaitTimeout(publishWait) && t.Error() == nil
}

// leave disconnects.
func (s *session) leave() {
	s.cancel()
	s.client.Disconnect(leaveWait)
}
