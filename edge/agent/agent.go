// Package agent reads a node's sensors and takes their readings to the broker.
//
// While the broker is there a reading is published at once and kept in memory
// until hearth says that it is stored; nothing is written to disk. While the
// broker is away readings go to a spool on disk, and on its return from there,
// oldest first and at a limited rate, beside the live ones. While the clock is not
// set readings wait in the spool too, and get their true time once it is.
//
// What can be lost: with a power cut while the broker is away, what the spool has
// not yet synced (SPOOL_SYNC); beyond the spool's caps, the oldest, counted. What
// waits in memory while online is lost only if broker and agent die together.
//
// Its parts, each calling only those below it:
//
//	Agent       makes the others, starts and ends them
//	sensor      reads one sensor, each in a goroutine, and hands samples over
//	dialer      keeps a session with the broker, and hands over what comes from there
//	delivery    the one loop through which every reading goes
//	numbering   makes a numbered reading of a sample
//	backlog     the readings on disk, and those that the disk does not take
//	calendar    tells when a moment was
//	monitor     what the others show of themselves
//	reporter    serves that as metrics and health
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

// Deps is what an agent may know of its surroundings.
type Deps struct {
	Log     *slog.Logger
	Clock   Clock           // SystemClock unless told
	Machine *driver.Machine // this one unless told; SIMULATE wants a simulated one
	Spool   spool.FS        // the disk unless told
}

// Agent is one node's. Run it once.
type Agent struct {
	cfg      Config
	log      *slog.Logger
	boot     string // names this run: numbers begin anew with it, and never repeat
	machine  *driver.Machine
	sensors  []*sensor
	dialer   *dialer
	delivery *delivery
	reporter *reporter
}

// sensorsEnd is how long sensors may take to end: a fan has to be stopped.
const sensorsEnd = 12 * time.Second

// New returns an agent. It starts nothing.
func New(c Config, d Deps) (*Agent, error) {
	if c.Simulate && d.Machine == nil {
		return nil, errNoSimulators
	}
	a := &Agent{cfg: c, log: d.Log, machine: d.Machine, boot: newBoot()}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	clock := d.Clock
	if clock.Wall == nil {
		clock = SystemClock()
	}
	if clock.Kernel == "" {
		clock.Kernel = a.boot
	}
	up := uptime(time.Now())
	seen := &monitor{log: a.log, up: up}
	cal := newCalendar(clock, c.AnyClock || c.Simulate, c.Hold, filepath.Join(c.Dir, "clock.json"), a.log, seen)
	if a.machine == nil {
		a.machine = kinds.Real(c.Dir, func() (time.Time, bool) { return clock.Wall(), cal.isSet() })
	}
	a.machine.Memory.Wrote = seen.wrote
	a.machine.Memory.Failed = func(err error) { a.log.Error("what sensors have learnt", "err", err) }
	samples := make(chan taken, 1024)
	for _, s := range c.Sensors {
		a.sensors = append(a.sensors, newSensor(s, a.machine, clock, samples, a.log))
	}
	var err error
	if a.dialer, err = newDialer(c, presence{c.Node, a.boot, a.machine.Simulated, cal}, a.log); err != nil {
		return nil, err
	}
	a.delivery = &delivery{
		up: up, samples: samples, links: a.dialer.links, acks: a.dialer.acks, places: a.dialer.places,
		numbers: newNumbering(c.Node, a.boot, a.machine.Simulated, cal),
		backlog: newBacklog(c, d.Spool, up, cal, seen, a.log), calendar: cal, monitor: seen, log: a.log,
		window: newWindow(c), rate: budget{rate: float64(c.Rate)},
	}
	a.reporter = &reporter{boot: a.boot, sync: c.SpoolSync, sensors: a.sensors, calendar: cal, monitor: seen}
	return a, nil
}

func newBoot() string {
	id := make([]byte, 4)
	rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

// Run reads and delivers until ctx ends. Then it keeps what is not yet safe and
// tells the broker that the node goes offline.
func (a *Agent) Run(ctx context.Context) error {
	defer a.dialer.end()
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
	connecting, disconnect := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the sensors
	defer disconnect()
	links.Go(func() { a.dialer.run(connecting) })
	a.log.Info("started", "node", a.cfg.Node, "boot", a.boot, "sensors", len(a.sensors), "simulated", a.machine.Simulated)
	notify("READY=1")

	a.delivery.run(ctx)
	notify("STOPPING=1")
	a.delivery.drain(&reading, sensorsEnd)
	err = a.delivery.finish()
	disconnect()
	links.Wait()
	a.log.Info("stopped", "boot", a.boot, "readings", a.delivery.numbers.seq, "err", err)
	return err
}

// Handler serves the agent's own port:
//
//	GET /healthz  200 while readings are delivered or kept; what is amiss in words
//	GET /metrics  for Prometheus
func (a *Agent) Handler() http.Handler { return a.reporter.handler() }

// listen serves metrics and health, if wanted.
func (a *Agent) listen() (stop func(), err error) {
	if a.cfg.Listen == "off" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", a.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("LISTEN: %w", err)
	}
	srv := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx) // what is left is cut
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			a.log.Warn("metrics", "err", err)
		}
	}, nil
}
