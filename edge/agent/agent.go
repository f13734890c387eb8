// Package agent reads a node's sensors and publishes their readings to the broker.
//
// While the broker is connected, a reading is published at once. It stays in memory
// until a stored message from hearth's connector acknowledges it. Nothing is written
// to disk. While the broker is not connected, readings go to a spool on disk. After a
// reconnect they are published from there, oldest first and at a limited rate, between
// the live readings. Readings taken before the clock is set also wait in the spool.
// They get their true time once the clock is set.
//
// These readings can be lost. A power cut without a broker loses what the spool has not
// yet synced (SPOOL_SYNC). At the spool's caps the oldest readings are dropped and
// counted. Readings that are in memory while online are lost only if broker and agent
// die together.
//
// The package's parts, each of which calls only those below it:
//
//	Agent       builds, starts and stops the other parts
//	sensor      reads one sensor, in its own goroutine, and sends samples to delivery
//	dialer      keeps a session with the broker, and sends its events to delivery
//	delivery    the single loop that moves every reading
//	numbering   makes a numbered reading from a sample
//	backlog     readings on disk, and in memory those that the disk does not take
//	timekeeper  converts monotonic time to wall time, once the clock is set
//	monitor     collects the state of the other parts
//	reporter    serves that state as metrics and health
package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/spool"
)

// Deps are an agent's dependencies. The zero value is for production.
type Deps struct {
	Log     *slog.Logger    // default: discard
	clock   clock           // default: systemClock
	Machine *driver.Machine // default: this machine; SIMULATE requires a simulated one
	spool   spool.FS        // default: the disk
}

// Agent reads and publishes for one node. Run may be called once.
type Agent struct {
	cfg      Config
	log      *slog.Logger
	boot     string // identifies this run; numbers start at 1 in each
	machine  *driver.Machine
	sensors  []*sensor
	dialer   *dialer
	delivery *delivery
	reporter *reporter
}

// sensorStopWait is how long sensors may take to stop: a fan has to be switched off.
const sensorStopWait = 12 * time.Second

// New returns an agent and starts nothing. An error names the setting that is wrong.
func New(c Config, d Deps) (*Agent, error) {
	if c.Simulate && d.Machine == nil {
		return nil, errNoSimulators
	}
	a := &Agent{cfg: c, log: d.Log, machine: d.Machine, boot: newBoot()}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	clock := d.clock
	if clock.wall == nil {
		clock = systemClock()
	}
	if clock.kernel == "" {
		clock.kernel = a.boot
	}
	up := uptime(time.Now())
	mon := &monitor{log: a.log, up: up}
	alwaysTrust := c.TrustClock || c.Simulate // simulated sensors need no true time
	tk := newTimekeeper(clock, alwaysTrust, c.Hold, filepath.Join(c.Dir, "clock.json"), a.log, mon)
	if a.machine == nil {
		a.machine = kinds.Real(c.Dir, func() (time.Time, bool) { return clock.wall(), tk.isSet() })
	}
	a.machine.State.OnWrite = mon.countWritten
	a.machine.State.OnError = func(err error) { a.log.Error("keep the state of a sensor", "err", err) }
	samples := make(chan takenSample, 1024)
	for _, s := range c.Sensors {
		a.sensors = append(a.sensors, newSensor(s, a.machine, clock, samples, a.log))
	}
	var err error
	if a.dialer, err = newDialer(c, presence{c.Node, a.boot, a.machine.Simulated, tk}, a.log); err != nil {
		return nil, err
	}
	a.delivery = &delivery{
		up: up, samples: samples, sessions: a.dialer.sessions, acks: a.dialer.acks, stored: a.dialer.stored,
		numbers: newNumbering(c.Node, a.boot, a.machine.Simulated, tk),
		backlog: newBacklog(c, d.spool, up, tk, mon, a.log), timekeeper: tk, monitor: mon, log: a.log,
		window: newWindow(c), rate: budget{rate: float64(c.Rate)},
	}
	a.reporter = &reporter{boot: a.boot, sync: c.SpoolSync, sensors: a.sensors, timekeeper: tk, monitor: mon, broker: a.dialer.broker}
	return a, nil
}

func newBoot() string {
	id := make([]byte, 4)
	rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// Run reads and publishes until ctx ends. Then it writes readings that are not yet
// stored to disk and publishes the status offline. An error means that another agent
// holds the spool, that LISTEN is taken, or that readings were lost at the end.
func (a *Agent) Run(ctx context.Context) error {
	defer a.dialer.close()
	if err := a.delivery.backlog.open(); err != nil {
		return err
	}
	stopHTTP, err := a.listen()
	if err != nil {
		return errors.Join(err, a.delivery.backlog.close())
	}
	defer stopHTTP()

	var reading, links sync.WaitGroup
	for _, s := range a.sensors {
		reading.Go(func() { s.run(ctx) })
	}
	connecting, disconnect := context.WithCancel(context.WithoutCancel(ctx)) // the session outlives the sensors
	defer disconnect()
	links.Go(func() { a.dialer.run(connecting) })
	a.log.Info("started", "node", a.cfg.Node, "boot", a.boot, "sensors", len(a.sensors), "simulated", a.machine.Simulated)
	notify("READY=1")

	a.delivery.run(ctx)
	notify("STOPPING=1")
	a.delivery.drain(&reading, sensorStopWait)
	err = a.delivery.finish()
	disconnect()
	links.Wait()
	a.log.Info("stopped", "boot", a.boot, "readings", a.delivery.numbers.seq, "err", err)
	return err
}

// handler serves health and metrics, also without LISTEN:
//
//	GET /healthz  200 while readings are delivered or kept, as JSON that names problems
//	GET /metrics  for Prometheus
func (a *Agent) handler() http.Handler { return a.reporter.handler() }

// listen serves handler at LISTEN. The caller stops it with stop.
func (a *Agent) listen() (stop func(), err error) {
	if a.cfg.Listen == "off" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", a.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("LISTEN: %w", err)
	}
	srv := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx) // requests still running are cut off
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			a.log.Warn("serve metrics and health", "err", err)
		}
	}, nil
}
