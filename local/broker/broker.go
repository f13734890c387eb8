// Package broker is the MQTT broker of `hearth up`: mochi-mqtt in this process, on
// 127.0.0.1 only. It has sessions and retained messages in memory only: they are lost
// when it stops. For a home in daily use, run Mosquitto (docs/mqtt.md).
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hearth-home/hearth/shared/pause"
)

// maxPacket is the largest packet in bytes: 16 MiB of payload, as in our mosquitto.conf, and
// what stands before it.
const maxPacket = 16<<20 + 128<<10

// Broker is a running broker.
type Broker struct {
	server *mqtt.Server
	tcp    *listeners.TCP
}

// Start starts a broker that listens on addr, host:port.
func Start(addr string, log *slog.Logger) (*Broker, error) {
	c := mqtt.NewDefaultServerCapabilities()
	// mochi drops messages for a subscriber with this many pending; its default is 8192.
	c.MaximumClientWritesPending = 1 << 20
	c.MaximumInflight = math.MaxUint16
	c.MaximumPacketSize = maxPacket // the publisher of a larger one is disconnected
	s := mqtt.New(&mqtt.Options{Capabilities: c, Logger: slog.New(quiet{log.Handler()})})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := s.AddHook(&sizes{log: log}, nil); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})
	if err := s.AddListener(tcp); err != nil {
		return nil, fmt.Errorf("MQTT broker on %s: %w", addr, err)
	}
	if err := s.Serve(); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &Broker{s, tcp}, nil
}

// Addr returns the address on which the broker listens, host:port.
func (b *Broker) Addr() string { return b.tcp.Address() }

// Drain accepts no new connections and disconnects all clients except the one called id.
// It waits, while ctx lasts, until that client has acknowledged its messages in flight:
// Close would lose them.
func (b *Broker) Drain(ctx context.Context, id string) {
	b.tcp.Close(func(string) {}) // accepts no more connections
	subscriber, ok := b.server.Clients.Get(id)
	for name, c := range b.server.Clients.GetAll() {
		if name != id {
			c.Stop(errClosing)
		}
	}
	const enough = 5 // polls in a row without a message in flight
	for idle := 0; ok && idle < enough && !subscriber.Closed() && pause.For(ctx, 5*time.Millisecond); {
		if idle++; subscriber.State.Inflight.Len() > 0 {
			idle = 0
		}
	}
}

var errClosing = errors.New("the broker stops")

// Close ends the broker and all its connections.
func (b *Broker) Close() error {
	for _, c := range b.server.Clients.GetAll() {
		c.Stop(errClosing) // after Drain, closing the listener does not close them
	}
	return b.server.Close()
}
