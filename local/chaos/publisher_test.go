package chaos

import (
	"context"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const maxInFlight = 1000 // readings published and not yet acknowledged

// publisher publishes the readings of all sensors. It sends a reading again that the
// broker has not acknowledged.
type publisher struct {
	t      testing.TB
	client mqtt.Client
}

func (h *hearth) publisher(id string) *publisher {
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

// publication is a message in flight.
type publication struct {
	topic, payload string
	tok            mqtt.Token
}

// publish publishes the readings first to last-1 of s, spread over d. It returns when
// the broker has acknowledged all of them.
func (p *publisher) publish(s stream, first, last int, d time.Duration) {
	p.t.Helper()
	p.each(last-first, d, func(i int) (string, string) { return s.topic(first + i), s.payload(first + i) })
}

// each publishes n messages at QoS 1, spread over d.
func (p *publisher) each(n int, d time.Duration, message func(i int) (topic, payload string)) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), d+patience)
	defer cancel()
	inFlight := make(chan publication, maxInFlight)
	done := make(chan error, 1)
	go func() { done <- p.await(ctx, inFlight) }()
	begin := time.Now()
	for i := range n {
		time.Sleep(time.Until(begin.Add(d * time.Duration(i) / time.Duration(n))))
		topic, payload := message(i)
		select {
		case inFlight <- publication{topic, payload, p.client.Publish(topic, 1, false, payload)}:
		case <-ctx.Done():
			p.t.Fatalf("the broker acknowledged too little in time: %d of %d published", i, n)
		}
	}
	close(inFlight)
	if err := <-done; err != nil {
		p.t.Fatal("publish: ", err)
	}
}

// await waits for the acknowledgements. It publishes a message again whose token
// failed: the library fails some tokens when it loses the connection.
func (p *publisher) await(ctx context.Context, inFlight <-chan publication) error {
	for m := range inFlight {
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
