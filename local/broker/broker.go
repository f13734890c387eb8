// Package broker is the MQTT broker of `make up`: mochi-mqtt in this process,
// on 127.0.0.1 only. It keeps sessions and retained messages while it runs;
// a household that matters has Mosquitto (docs/mqtt.md).
package broker

import (
	"fmt"
	"log/slog"
	"math"

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

// Close ends it with its connections.
func (b *Broker) Close() error { return b.server.Close() }
