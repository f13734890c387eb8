package broker

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A session that was away for more messages than mochi keeps by default gets
// them all.
func TestAReaderThatWasAwayGetsEverything(t *testing.T) {
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
			t.Fatalf("%d of %d came", got.Load(), n)
		}
	}
	r.Disconnect(0)
}

func TestABusyPortSaysWhich(t *testing.T) {
	b, err := Start("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := Start(b.Addr(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("two brokers on one port")
	}
}
