// Package kasa reads TP-Link Kasa and Tapo plugs and strips over the local
// network: power, voltage, current, energy and whether they are on.
//
// TP-Link publishes no protocol. What is known comes from
// https://www.softscheck.com/en/blog/tp-link-reverse-engineering/ (TCP 9999) and
// https://github.com/python-kasa/python-kasa (KLAP; SUPPORTED.md says which
// model speaks which).
//
// What one stumbles over:
//   - a firmware update may move a plug from port 9999 to KLAP, on port 80 with
//     the TP-Link account's credentials; PROTOCOL=auto tries both;
//   - old meters say W, V, A and kWh, new ones mW, mV, mA and Wh, by key;
//   - the energy counter starts again after an erase, and in some models after a
//     power cut: it is reported as it comes;
//   - a plug serves few connections at once and drops idle ones, so each Read has
//     its own;
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

// Config says which plug it is.
type Config struct {
	Host     string        `env:"HOST,required"`
	Port     int           `env:"PORT" envDefault:"9999"`     // of the legacy protocol
	KLAPPort int           `env:"KLAP_PORT" envDefault:"80"`  //
	Protocol string        `env:"PROTOCOL" envDefault:"auto"` // auto, legacy or klap
	Username string        `env:"USERNAME" envDefault:""`     // the TP-Link account, for KLAP
	Password secret.String `env:"PASSWORD"`                   // the name of the secret
	Socket   string        `env:"SOCKET" envDefault:""`       // of a strip: alias, id or number from 1; empty: all
	Timeout  time.Duration `env:"TIMEOUT" envDefault:"5s"`
}

const maxAnswer = 64 << 10

// errCredentials means that a plug takes another account.
var errCredentials = errors.New("the plug takes other credentials: check USERNAME, capitals included, and the password")

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

// Counts tells how many answers came.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read asks the plug once. Of a strip it reports each socket, as
// socket_1_power_watts and so on, and their sums; or one socket where SOCKET
// names it.
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

// ask tries the protocols that are allowed, the one that worked last first.
func (d *dev) readPlug(ctx context.Context) (plug, error) {
	legacy := func() (plug, error) { return d.readLegacy(ctx) }
	modern := func() (plug, error) { return d.readKLAP(ctx) }
	switch {
	case d.cfg.Protocol == "legacy":
		return legacy()
	case d.cfg.Protocol == "klap":
		return modern()
	case d.klap.session != nil:
		return tryBoth(modern, legacy)
	}
	return tryBoth(legacy, modern)
}

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

// readKLAP reads by the words that belong to the plug's kind of handshake: the
// old ones with version 1; the new ones with version 2, and if it does not know
// them the old ones.
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
