// Package agent reads a node's sensors and takes their readings to the broker.
//
// While the broker is there a reading is published at once and kept in memory
// until hearth says that it is stored; nothing is written to disk. While the
// broker is away readings go to a spool on disk, and on its return from there,
// oldest first and throttled, beside the live ones. While the clock is not set
// readings wait in the spool too, and get their true time once it is.
//
// What can be lost: with a power cut while the broker is away, what the spool has
// not yet synced (SPOOL_SYNC); beyond the spool's caps, the oldest, counted. What
// waits in memory while online is lost only if broker and agent die together.
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
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/edge/window"
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
	cfg   Config
	log   *slog.Logger
	clock Clock
	fs    spool.FS
	boot  string // names this run: numbers begin anew with it, and never repeat
	begun time.Time

	machine *driver.Machine
	sensors []*sensor

	samples chan taken
	links   chan link
	acks    chan ack
	places  chan place
	over    chan struct{} // closed at the end

	clockOK  atomic.Bool
	saidAway bool // of keepConnected

	delivery
	shown
}

// taken is a sample on its way from its sensor.
type taken struct {
	set    driver.Sensor
	sample driver.Sample
	mono   time.Duration
}

// sensorsEnd is how long sensors may take to end: a fan has to be stopped.
const sensorsEnd = 12 * time.Second

var started = time.Now()

// New returns an agent. It starts nothing.
func New(c Config, d Deps) (*Agent, error) {
	a := &Agent{
		cfg: c, log: d.Log, clock: d.Clock, fs: d.Spool, machine: d.Machine, begun: time.Now(),
		samples: make(chan taken, 1024), links: make(chan link), acks: make(chan ack, 256),
		places: make(chan place, 16), over: make(chan struct{}),
	}
	if c.Simulate && d.Machine == nil {
		return nil, errNoSimulators
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.clock.Wall == nil {
		a.clock = SystemClock()
	}
	id := make([]byte, 4)
	rand.Read(id) // never fails
	a.boot = hex.EncodeToString(id)
	if a.clock.Kernel == "" {
		a.clock.Kernel = a.boot
	}
	if _, err := a.options(&session{}); err != nil {
		return nil, err
	}
	a.window = window.New[*record](window.Limits{Keep: c.Keep, Bytes: c.KeepMiB << 20, Resend: c.Resend})
	a.cal = &calendar{
		clock: a.clock, any: c.AnyClock || c.Simulate, path: filepath.Join(c.Dir, "clock.json"),
		wrote: a.wrote, failed: func(err error) { a.log.Error("clock", "err", err) },
	}
	a.live, a.last = rising{}, map[string]time.Duration{}
	a.clockOK.Store(a.cal.ok())
	return a, nil
}

// Run reads and delivers until ctx ends. Then it keeps what is not yet safe and
// says good-bye.
func (a *Agent) Run(ctx context.Context) error {
	defer close(a.over)
	life, end := context.WithCancel(context.WithoutCancel(ctx)) // what outlives the sensors
	defer end()
	a.prepare()
	if err := a.openSpool(); err != nil {
		return err
	}
	stopHTTP, err := a.listen()
	if err != nil {
		return errors.Join(err, a.closeSpool())
	}
	defer stopHTTP()

	var reading, links sync.WaitGroup
	for _, s := range a.sensors {
		reading.Go(func() { s.run(ctx) })
	}
	connecting, disconnect := context.WithCancel(life)
	defer disconnect()
	links.Go(func() { a.keepConnected(connecting) })
	a.log.Info("started", "node", a.cfg.Node, "boot", a.boot, "sensors", len(a.sensors), "simulated", a.machine.Simulated)
	notify("READY=1")

	a.deliver(ctx)
	notify("STOPPING=1")
	a.deliverUntil(&reading, sensorsEnd)
	err = a.finish()
	disconnect()
	links.Wait()
	a.log.Info("stopped", "boot", a.boot, "readings", a.seq, "err", err)
	return err
}

// prepare makes what Run needs.
func (a *Agent) prepare() {
	if a.machine == nil {
		a.machine = kinds.Real(a.cfg.Dir, func() (time.Time, bool) { return a.clock.Wall(), a.clockOK.Load() })
	}
	a.machine.Memory.Wrote = a.wrote
	a.machine.Memory.Failed = func(err error) { a.log.Error("what sensors have learnt", "err", err) }
	for _, s := range a.cfg.Sensors {
		a.sensors = append(a.sensors, &sensor{
			set: s, machine: a.machine, out: a.hand, say: a.sayer(s),
			stats: sensorStats{readings: map[driver.Quality]uint64{}},
		})
	}
}

func (a *Agent) sayer(s driver.Sensor) func(bool, error) {
	return func(failing bool, err error) {
		if failing {
			a.log.Warn("a sensor fails", "device", s.Device, "sensor", s.Kind.Name, "err", err)
			return
		}
		a.log.Info("a sensor works again", "device", s.Device, "sensor", s.Kind.Name)
	}
}

// hand passes a sample on. Its moment is now: that of its end.
func (a *Agent) hand(ctx context.Context, s driver.Sensor, sample driver.Sample) {
	select {
	case a.samples <- taken{s, sample, a.clock.Mono()}:
	case <-ctx.Done():
	}
}

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
