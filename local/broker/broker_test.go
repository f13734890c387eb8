package broker

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A subscriber that is further behind than mochi allows by default gets all messages.
func TestASlowSubscriberGetsEveryMessage(t *testing.T) {
	const n = 20_000
	b, err := Start("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var got atomic.Int64
	connect := func(id string, h mqtt.MessageHandler) mqtt.Client {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID(id).SetCleanSession(false).SetDefaultPublishHandler(h))
		if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		return c
	}
	r := connect("reader", func(mqtt.Client, mqtt.Message) { got.Add(1) })
	r.Subscribe("a/#", 1, nil).WaitTimeout(10 * time.Second)
	p := connect("writer", nil)
	defer p.Disconnect(0)
	var last mqtt.Token
	for i := range n {
		last = p.Publish("a/b", 1, false, fmt.Sprint(i))
	}
	if !last.WaitTimeout(time.Minute) {
		t.Fatal("not published")
	}
	for end := time.Now().Add(30 * time.Second); got.Load() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d messages were delivered", got.Load(), n)
		}
	}
	r.Disconnect(0)
}

// A message that was acknowledged to its publisher reaches the subscriber before Drain
// returns.
func TestADrainDeliversAcknowledgedMessages(t *testing.T) {
	const n = 3_000
	b, err := Start("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var got, acknowledged atomic.Int64
	r := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID("reader").SetDefaultPublishHandler(func(mqtt.Client, mqtt.Message) { got.Add(1) }))
	if tok := r.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	defer r.Disconnect(0)
	r.Subscribe("a/#", 1, nil).WaitTimeout(10 * time.Second)
	p := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID("writer").SetAutoReconnect(false))
	if tok := p.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	defer p.Disconnect(0)
	for i := range n {
		tok := p.Publish("a/b", 1, false, fmt.Sprint(i))
		go func() {
			if tok.WaitTimeout(30*time.Second) && tok.Error() == nil {
				acknowledged.Add(1)
			}
		}()
	}
	for end := time.Now().Add(30 * time.Second); acknowledged.Load() < n/2 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	b.Drain(ctx, "reader")
	if ctx.Err() != nil || got.Load() < acknowledged.Load() || acknowledged.Load() < n/2 {
		t.Errorf("%d acknowledged, %d delivered, %v", acknowledged.Load(), got.Load(), ctx.Err())
	}
	if _, err := net.DialTimeout("tcp", b.Addr(), time.Second); err == nil {
		t.Error("it still accepts connections")
	}
}

func TestABusyPortIsAnError(t *testing.T) {
	b, err := Start("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := Start(b.Addr(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("two brokers started on one port")
	}
}

// The publisher of a message that is too large is disconnected, which is logged. Others go
// on.
func TestATooLargeMessageIsRefused(t *testing.T) {
	var log bytes.Buffer
	b, err := Start("127.0.0.1:0", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(chan int, 9)
	connect := func(id string, lost func(mqtt.Client, error)) mqtt.Client {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + b.Addr()).SetClientID(id).SetAutoReconnect(false).SetConnectionLostHandler(lost).
			SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { sizes <- len(m.Payload()) }))
		if tok := c.Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		t.Cleanup(func() { c.Disconnect(0) })
		return c
	}
	r := connect("reader", nil)
	r.Subscribe("a/#", 1, nil).WaitTimeout(10 * time.Second)
	lost := make(chan error, 1)
	connect("camera", func(_ mqtt.Client, err error) { lost <- err }).Publish("a/b", 1, false, make([]byte, 17<<20))
	select {
	case <-lost:
	case <-time.After(time.Minute):
		t.Fatal("the publisher is still connected")
	}
	connect("writer", nil).Publish("a/b", 1, false, make([]byte, 15<<20))
	select {
	case n := <-sizes:
		if n != 15<<20 {
			t.Errorf("a message of %d bytes arrived", n)
		}
	case <-time.After(time.Minute):
		t.Fatal("no message arrived")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "too large") || !strings.Contains(log.String(), "client=camera") {
		t.Errorf("the log: %s", &log)
	}
}
