package bridge

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/mqttclient"
)

const (
	droppedTopic  = "$SYS/broker/publish/messages/dropped" // Mosquitto's count of what it threw away
	publishWait   = 5 * time.Second
	quickLoss     = 10 * time.Second
	quickLosses   = 3
	refusedFilter = 0x80 // in a SUBACK
	maxBackoff    = time.Minute
)

// broker is the MQTT session: persistent, QoS 1, acknowledged by hand.
type broker struct {
	b       *Bridge
	client  mqtt.Client
	topics  func() []string // the filters wanted now
	mu      sync.Mutex
	subs    map[string]bool // subscribed in this connection
	heard   map[string]bool // filters whose retained messages came in this connection
	refused map[string]bool // filters that the broker does not grant
	since   time.Time       // of the connection
	quick   int             // losses in a row so soon after connecting
	up      atomic.Bool
	dropped atomic.Int64 // the broker's own count, -1 where it has none
	asked   atomic.Bool  // a function asks for acknowledgements to edge nodes by their name
}

func newBroker(b *Bridge) (*broker, error) {
	br := &broker{b: b}
	br.dropped.Store(-1)
	o, err := br.options()
	if err != nil {
		return nil, err
	}
	br.client = mqtt.NewClient(o)
	return br, nil
}

func (br *broker) options() (*mqtt.ClientOptions, error) {
	o, err := ClientOptions(br.b.config)
	if err != nil {
		return nil, err
	}
	o.SetCleanSession(false)   // the broker keeps what comes while we are away
	o.SetAutoAckDisabled(true) // acknowledged when it is on disk
	o.SetConnectRetry(true).SetConnectRetryInterval(2 * time.Second).SetMaxReconnectInterval(10 * time.Second)
	o.SetOrderMatters(true)
	// Before Connect: a persistent session delivers before any Subscribe.
	o.SetDefaultPublishHandler(br.received)
	o.SetOnConnectHandler(br.connected)
	o.SetConnectionLostHandler(br.lost)
	o.SetReconnectingHandler(func(mqtt.Client, *mqtt.ClientOptions) { br.backOff() })
	return o, nil
}

// ClientOptions is how to reach the broker of c.
func ClientOptions(c Config) (*mqtt.ClientOptions, error) {
	o, err := mqttclient.Access{URL: c.URL, ClientID: c.ClientID, User: c.User, Password: c.Password, CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile}.Options()
	if err != nil {
		return nil, err
	}
	o.SetKeepAlive(30 * time.Second).SetPingTimeout(10 * time.Second).SetConnectTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second)
	if strings.HasPrefix(c.URL, "tcp:") || strings.HasPrefix(c.URL, "mqtt:") {
		o.SetCustomOpenConnectionFn(dial)
	}
	return o, nil
}

func (br *broker) received(_ mqtt.Client, m mqtt.Message) {
	if m.Topic() == droppedTopic {
		br.countDropped(m)
		return
	}
	if isAck(m.Topic()) && !br.asked.Load() {
		m.Ack() // what we say ourselves comes back where a function listens to hearth/#, as often as readings do
		return
	}
	br.b.intake.take(incoming{
		Message: Message{Topic: m.Topic(), Payload: m.Payload(), Packet: m.MessageID(), QoS: m.Qos(), Retained: m.Retained()},
		dup:     m.Duplicate(), ack: m.Ack,
	})
}

// countDropped says so when the broker threw messages away before we had them.
func (br *broker) countDropped(m mqtt.Message) {
	m.Ack()
	n, err := strconv.ParseInt(strings.TrimSpace(string(m.Payload())), 10, 64)
	if err != nil {
		return
	}
	if old := br.dropped.Swap(n); old >= 0 && n > old {
		br.b.log.Error("the broker dropped messages: raise max_queued_messages in mosquitto.conf", "dropped", n-old)
	}
}

func (br *broker) connected(mqtt.Client) {
	br.mu.Lock()
	br.since, br.subs, br.heard, br.refused = time.Now(), map[string]bool{}, map[string]bool{}, map[string]bool{}
	br.mu.Unlock()
	br.up.Store(true)
	br.b.log.Info("connected to the broker", "broker", br.b.config.URL, "client", br.b.config.ClientID)
	go br.subscribe() // the handler must not wait for the network
}

func (br *broker) lost(_ mqtt.Client, err error) {
	br.up.Store(false)
	br.mu.Lock()
	defer br.mu.Unlock()
	if time.Since(br.since) < quickLoss {
		br.quick++
	} else {
		br.quick = 0
	}
	if br.quick == quickLosses {
		br.b.log.Error("lost the broker again and again right after connecting: probably another client with id "+br.b.config.ClientID+
			" is running; give each its own MQTT_CLIENT_ID", "err", err)
		return
	}
	br.b.log.Warn("lost the broker, reconnecting", "err", err)
}

// backOff waits before a reconnect where another client seems to have our id:
// two that fight would go on for ever.
func (br *broker) backOff() {
	br.mu.Lock()
	n := br.quick
	br.mu.Unlock()
	if n >= quickLosses {
		d := min(time.Second<<min(n, 6), maxBackoff)
		pause(br.b.life, d/2+rand.N(d/2))
	}
}

// publish sends at QoS 1 and reports whether the broker has it.
func (br *broker) publish(topic string, payload []byte, retained bool) bool {
	if br.b.config.ReadOnly || !br.up.Load() {
		return false
	}
	t := br.client.Publish(topic, 1, retained, payload)
	return t.WaitTimeout(publishWait) && t.Error() == nil
}
