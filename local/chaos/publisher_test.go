package chaos

import (
	"context"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const window = 1000 // readings published and not yet acknowledged

// publisher is the house's sensors: what the broker has not acknowledged is sent
// again when it is back.
type publisher struct {
	t      testing.TB
	client mqtt.Client
}

func (h *house) publisher(id string) *publisher {
	h.t.Helper()
	return newPublisher(h.t, h.broker.Addr, id)
}

func newPublisher(t testing.TB, broker, id string) *publisher {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(id).SetCleanSession(false).SetOrderMatters(false).
		SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond).SetMaxReconnectInterval(200 * time.Millisecond)
	p := &publisher{t, mqtt.NewClient(o)}
	if tok := p.client.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal("connect to the broker: ", tok.Error())
	}
	t.Cleanup(func() { p.client.Disconnect(100) })
	return p
}

// sent is a publication under way.
type sent struct {
	topic, payload string
	tok            mqtt.Token
}

// publish sends the numbers from first to before last of s, spread over d, and
// returns when the broker has acknowledged all.
func (p *publisher) publish(s stream, first, last int, d time.Duration) {
	p.t.Helper()
	p.each(last-first, d, func(i int) (string, string) { return s.topic(first + i), s.payload(first + i) })
}

// each publishes n messages at QoS 1, spread over d.
func (p *publisher) each(n int, d time.Duration, message func(i int) (topic, payload string)) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), d+patience)
	defer cancel()
	under := make(chan sent, window)
	done := make(chan error, 1)
	go func() { done <- p.await(ctx, under) }()
	begin := time.Now()
	for i := range n {
		time.Sleep(time.Until(begin.Add(d * time.Duration(i) / time.Duration(n))))
		topic, payload := message(i)
		select {
		case under <- sent{topic, payload, p.client.Publish(topic, 1, false, payload)}:
		case <-ctx.Done():
			p.t.Fatalf("the broker acknowledged too little in time: %d of %d published", i, n)
		}
	}
	close(under)
	if err := <-done; err != nil {
		p.t.Fatal("publish: ", err)
	}
}

// await waits for the acknowledgements, and publishes again what failed: the
// library gives up some while it loses the connection.
func (p *publisher) await(ctx context.Context, under <-chan sent) error {
	for m := range under {
		for {
			select {
			case <-m.tok.Done():
			case <-ctx.Done():
				return ctx.Err()
			}
			if m.tok.Error() == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
			m.tok = p.client.Publish(m.topic, 1, false, m.payload)
		}
	}
	return nil
}
