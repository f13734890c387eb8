// Package kasa reads TP-Link Kasa and Tapo plugs and strips over the local
// network: power, voltage, current, energy and whether they are on.
//
// TP-Link does not publish the protocols. They are described at
// https://www.softscheck.com/en/blog/tp-link-reverse-engineering/ (TCP 9999) and
// https://github.com/python-kasa/python-kasa (KLAP; its SUPPORTED.md lists
// the protocol of each model).
//
// Pitfalls:
//   - a firmware update may switch a plug from port 9999 to KLAP, on port 80 with the
//     TP-Link account's credentials; PROTOCOL=auto tries both;
//   - old meters report W, V, A and kWh, new ones mW, mV, mA and Wh, under other keys;
//   - the energy counter restarts from zero after an erase, and in some models after a
//     power cut: it is reported as it is;
//   - a plug serves few connections at once and drops idle ones, so each Read opens a
//     connection;
//   - the account's name is case-sensitive.
package kasa

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/secret"
)

// Config configures a plug.
type Config struct {
	Host     string        `env:"HOST,required"`
	Port     int           `env:"PORT" envDefault:"9999"`     // of the legacy protocol
	KLAPPort int           `env:"KLAP_PORT" envDefault:"80"`  // of KLAP
	Protocol string        `env:"PROTOCOL" envDefault:"auto"` // auto, legacy or klap
	Username string        `env:"USERNAME" envDefault:""`     // the TP-Link account, for KLAP
	Password secret.String `env:"PASSWORD"`                   // the name of the secret
	Socket   string        `env:"SOCKET" envDefault:""`       // of a strip: alias, id or number from 1; empty: all
	Timeout  time.Duration `env:"TIMEOUT" envDefault:"5s"`
}

const maxAnswer = 64 << 10 // bytes

// errCredentials means that the plug refused all credentials.
var errCredentials = errors.New("the plug refused the credentials: check USERNAME, also its capital letters, and the password")

// dev is a plug or strip.
type dev struct {
	cfg    Config
	klap   *klap
	smart  smartState
	counts driver.Counts
}

// newDev returns the plug. It does no I/O.
func newDev(cfg Config) (*dev, error) {
	switch cfg.Protocol {
	case "", "auto", "legacy", "klap":
	default:
		return nil, fmt.Errorf("kasa: PROTOCOL is %q, not auto, legacy or klap", cfg.Protocol)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	return &dev{cfg: cfg, klap: newKLAP(cfg)}, nil
}

// Counts returns the driver's counts: a frame is a Read that succeeded.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read queries the plug once. For a strip it reports each socket, as socket_1_power_watts
// and so on, and their sums. If SOCKET is set it reports that socket only.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	p, err := d.readPlug(ctx)
	if err != nil {
		return driver.Sample{}, fmt.Errorf("kasa: %s: %w", d.cfg.Host, err)
	}
	d.counts.Frames++
	s, err := p.sample(d.cfg.Socket)
	if err != nil {
		return driver.Sample{}, fmt.Errorf("kasa: %s: %w", d.cfg.Host, err)
	}
	return s, nil
}

// readPlug reads the plug by the configured protocol. With auto it tries both, the one
// that last worked first.
func (d *dev) readPlug(ctx context.Context) (plug, error) {
	legacy := func() (plug, error) { return d.readLegacy(ctx) }
	klap := func() (plug, error) { return d.readKLAP(ctx) }
	switch {
	case d.cfg.Protocol == "legacy":
		return legacy()
	case d.cfg.Protocol == "klap":
		return klap()
	case d.klap.session != nil:
		return tryBoth(klap, legacy)
	}
	return tryBoth(legacy, klap)
}

// tryBoth returns the first result without an error, or both errors.
func tryBoth(first, second func() (plug, error)) (plug, error) {
	p, err := first()
	if err == nil {
		return p, nil
	}
	p, err2 := second()
	if err2 != nil {
		return p, fmt.Errorf("%w; %w", err, err2)
	}
	return p, nil
}

func (d *dev) readLegacy(ctx context.Context) (plug, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	conn, err := dialLegacy(ctx, d.cfg.Host, d.cfg.Port)
	if err != nil {
		return plug{}, err
	}
	defer conn.Close()
	return readIOT(ctx, conn.query)
}

// readKLAP reads the plug over KLAP. After a handshake of version 1 it uses the old
// commands. After version 2 it uses the new commands, or the old ones if the plug does not
// support the new.
func (d *dev) readKLAP(ctx context.Context) (plug, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	version, err := d.klap.connect(ctx)
	if err != nil {
		return plug{}, err
	}
	if version == 1 {
		return readIOT(ctx, d.klap.query)
	}
	p, err := d.smart.read(ctx, d.klap.query)
	if errors.Is(err, errNotSmart) {
		return readIOT(ctx, d.klap.query)
	}
	return p, err
}
