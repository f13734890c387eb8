// Package broker is the MQTT broker of `make up`: mochi-mqtt in this process,
// on 127.0.0.1 only. It keeps sessions and retained messages while it runs;
// a household that matters has Mosquitto (docs/mqtt.md).
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
)

// Broker is a running broker.
type Broker struct {
	server *mqtt.Server
	tcp    *listeners.TCP
}

// Start listens on addr, host:port.
func Start(addr string, log *slog.Logger) (*Broker, error) {
	c := mqtt.NewDefaultServerCapabilities()
	// mochi drops to a reader that is this far behind, 8192 unless told.
	c.MaximumClientWritesPending = 1 << 20
	c.MaximumInflight = math.MaxUint16
	s := mqtt.New(&mqtt.Options{Capabilities: c, Logger: slog.New(quiet{log.Handler()})})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
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

// Addr is where it listens, host:port.
func (b *Broker) Addr() string { return b.tcp.Address() }

// Drain turns all clients away but the one called id and waits, while ctx lasts,
// until that has acknowledged what is on its way to it: this broker forgets what
// it is closed with.
func (b *Broker) Drain(ctx context.Context, id string) {
	b.tcp.Close(func(string) {}) // takes no more connections
	reader, ok := b.server.Clients.Get(id)
	for name, c := range b.server.Clients.GetAll() {
		if name != id {
			c.Stop(errClosing)
		}
	}
	const settled = 5 // looks in a row
	for quiet := 0; ok && quiet < settled && !reader.Closed() && ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		if quiet++; reader.State.Inflight.Len() > 0 {
			quiet = 0
		}
	}
}

var errClosing = errors.New("the broker stops")

// Close ends it with its connections.
func (b *Broker) Close() error {
	for _, c := range b.server.Clients.GetAll() {
		c.Stop(errClosing) // a listener that is closed already leaves them
	}
	return b.server.Close()
}
