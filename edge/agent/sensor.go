package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

const (
	maxReopen     = 30 * time.Second // the longest wait between attempts to open a port
	failsToReopen = 3                // after so many failures in a row a serial port is reopened
)

// sensor reads one sensor until its context ends. Each sensor has its own goroutine,
// so that a sensor that hangs delays no other.
type sensor struct {
	config  driver.Sensor
	machine *driver.Machine
	clock   clock
	out     chan<- takenSample
	log     *slog.Logger

	open          driver.Open
	isOpen        bool
	reopenDelay   time.Duration // before the next attempt to open the port; 0 once it is open
	failuresInRow int           // reads

	mu    sync.Mutex // guards stats, which metrics and health read
	stats sensorStats
}

// takenSample is a sample on its way from its sensor to delivery.
type takenSample struct {
	config driver.Sensor
	sample driver.Sample
	mono   time.Duration // monotonic time at which the sample ended
}

func newSensor(config driver.Sensor, m *driver.Machine, clock clock, out chan<- takenSample, log *slog.Logger) *sensor {
	return &sensor{
		config: config, machine: m, clock: clock, out: out, log: log,
		stats: sensorStats{readings: map[driver.Quality]uint64{}},
	}
}

// sensorStats is the state of a sensor for metrics and health.
type sensorStats struct {
	readings map[driver.Quality]uint64
	errors   uint64
	reopened uint64
	up       bool          // the last sample succeeded
	took     time.Duration // of the last sample
	since    time.Time     // start of the sample that is being read, or zero
	counts   driver.Counts
}

func (s *sensor) run(ctx context.Context) {
	defer func() {
		if s.isOpen {
			s.open.Close()
		}
	}()
	// Jitter at the start keeps the sensors from using power and bus all at once.
	next := time.Now().Add(rand.N(min(s.config.Interval, 2*time.Second)))
	for sleepUntil(ctx, next) {
		next = next.Add(s.config.Interval)
		if late := time.Since(next); late > 0 {
			next = next.Add(late.Truncate(s.config.Interval)) // skip the missed readings
		}
		s.takeReading(ctx, next)
		if s.reopenDelay > 0 && time.Until(next) < s.reopenDelay {
			next = time.Now().Add(s.reopenDelay)
		}
	}
}

// takeReading reads the samples of one reading until end, combines them and sends the
// result to delivery.
func (s *sensor) takeReading(ctx context.Context, end time.Time) {
	var samples []driver.Sample
	at := time.Now()
	for {
		sample, err := s.takeSample(ctx)
		if ctx.Err() != nil {
			return
		}
		s.recordResult(err)
		if err == nil {
			samples = append(samples, sample)
		}
		if at = at.Add(s.config.Every); s.config.Every == 0 || s.reopenDelay > 0 || !at.Before(end.Add(-s.config.Every/2)) {
			break
		}
		if !sleepUntil(ctx, at) {
			return
		}
	}
	if len(samples) == 0 {
		return
	}
	sample := combine(s.config.Combine, samples)
	sample.FlagOutOfRange()
	s.machine.Air.Record(s.config.Device, sample)
	s.mu.Lock()
	s.stats.readings[sample.Quality]++
	s.mu.Unlock()
	s.send(ctx, sample)
}

// send passes a sample to delivery.
func (s *sensor) send(ctx context.Context, sample driver.Sample) {
	select {
	case s.out <- takenSample{s.config, sample, s.clock.mono()}:
	case <-ctx.Done():
	}
}

// takeSample reads the sensor once. It opens the sensor first if necessary.
func (s *sensor) takeSample(ctx context.Context) (driver.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Deadline)
	defer cancel()
	began := time.Now()
	s.updateStats(func(st *sensorStats) { st.since = began })
	defer s.updateStats(func(st *sensorStats) { st.since = time.Time{} })
	if !s.isOpen {
		o, err := s.config.Open(s.machine)
		if err != nil {
			s.reopenDelay = min(max(2*s.reopenDelay, s.config.Interval/4, 500*time.Millisecond), maxReopen)
			return driver.Sample{}, err
		}
		s.open, s.isOpen, s.reopenDelay = o, true, 0
	}
	got, err := s.read(ctx)
	if dropNonFinite(&got); err == nil && len(got.Fields) == 0 {
		err = fmt.Errorf("%s: the sample has no number: %s", s.config.Kind.Name, got.Reason) // the platform stores no reading without one
	}
	s.updateStats(func(st *sensorStats) {
		st.took = time.Since(began)
		if c, ok := s.open.Reader.(driver.Counter); ok {
			st.counts = c.Counts()
		}
	})
	if err != nil && ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s: no sample within %v: %w", s.config.Kind.Name, s.config.Deadline, err)
	}
	return got, err
}

// read turns a panic in a driver into an error, so that it costs one reading and not
// the whole node.
func (s *sensor) read(ctx context.Context) (sample driver.Sample, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: the driver panicked: %v", s.config.Kind.Name, p)
		}
	}()
	return s.open.Read(ctx)
}

// recordResult counts a sample's success or failure, and logs when failures begin and
// end. It closes a serial port that is gone, or that failed three times in a row, so
// that the next sample opens it again.
func (s *sensor) recordResult(err error) {
	before := s.failuresInRow
	if err == nil {
		s.failuresInRow = 0
	} else {
		s.failuresInRow++
	}
	s.updateStats(func(st *sensorStats) {
		st.up = err == nil
		if err != nil {
			st.errors++
		}
	})
	switch {
	case before == 0 && err != nil:
		s.log.Warn("a sensor fails", "device", s.config.Device, "sensor", s.config.Kind.Name, "err", err)
	case before > 0 && err == nil:
		s.log.Info("a sensor works again", "device", s.config.Device, "sensor", s.config.Kind.Name)
	}
	if err == nil || !s.isOpen {
		return
	}
	if s.config.Kind.Via == driver.Serial && (driver.PortLost(err) || s.failuresInRow%failsToReopen == 0) {
		s.open.Close() // the error does not matter: the port is given up
		s.isOpen = false
		s.updateStats(func(st *sensorStats) { st.reopened++ })
	}
}

func (s *sensor) updateStats(f func(*sensorStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

// sleepUntil waits until t. It returns false if ctx ends first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	return driver.RealClock{}.Wait(ctx, time.Until(t)) == nil
}
