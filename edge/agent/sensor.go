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
	maxReopen     = 30 * time.Second // between attempts to open a port
	failsToReopen = 3                // failures in a row after which a port is opened anew
)

// sensor reads one sensor for ever. Each has its own goroutine, so that one that
// hangs delays no other.
type sensor struct {
	set     driver.Sensor
	machine *driver.Machine
	clock   Clock
	out     chan<- taken
	log     *slog.Logger

	open   driver.Open
	isOpen bool
	retry  time.Duration // until the port is tried again
	failed int           // in a row

	mu    sync.Mutex // guards what follows: read by metrics
	stats sensorStats
}

// taken is a sample on its way from its sensor to the delivery.
type taken struct {
	set    driver.Sensor
	sample driver.Sample
	mono   time.Duration // its moment: that of its end
}

func newSensor(set driver.Sensor, m *driver.Machine, clock Clock, out chan<- taken, log *slog.Logger) *sensor {
	return &sensor{
		set: set, machine: m, clock: clock, out: out, log: log,
		stats: sensorStats{readings: map[driver.Quality]uint64{}},
	}
}

// sensorStats is what a sensor did.
type sensorStats struct {
	readings map[driver.Quality]uint64
	errors   uint64
	reopened uint64
	up       bool
	took     time.Duration // the last sample
	since    time.Time     // when the sample under way began, or zero
	counts   driver.Counts
}

func (s *sensor) run(ctx context.Context) {
	defer func() {
		if s.isOpen {
			s.open.Close()
		}
	}()
	next := time.Now().Add(rand.N(min(s.set.Interval, 2*time.Second)))
	for sleepUntil(ctx, next) {
		// A little jitter keeps sensors from drawing power and the bus all at once.
		next = next.Add(s.set.Interval)
		if late := time.Since(next); late > 0 {
			next = next.Add(late.Truncate(s.set.Interval)) // readings that were missed stay missed
		}
		s.reading(ctx, next)
		if s.retry > 0 && time.Until(next) < s.retry {
			next = time.Now().Add(s.retry)
		}
	}
}

// reading takes the samples of one reading and hands it over.
func (s *sensor) reading(ctx context.Context, end time.Time) {
	var samples []driver.Sample
	at := time.Now()
	for {
		sample, err := s.sample(ctx)
		if ctx.Err() != nil {
			return
		}
		s.judge(err)
		if err == nil {
			samples = append(samples, sample)
		}
		if at = at.Add(s.set.Every); s.set.Every == 0 || s.retry > 0 || !at.Before(end.Add(-s.set.Every/2)) {
			break
		}
		if !sleepUntil(ctx, at) {
			return
		}
	}
	if len(samples) == 0 {
		return
	}
	sample := combine(s.set.Combine, samples)
	sample.Guard()
	s.machine.Air.Note(s.set.Device, sample)
	s.mu.Lock()
	s.stats.readings[sample.Quality]++
	s.mu.Unlock()
	s.hand(ctx, sample)
}

// hand passes a sample on.
func (s *sensor) hand(ctx context.Context, sample driver.Sample) {
	select {
	case s.out <- taken{s.set, sample, s.clock.Mono()}:
	case <-ctx.Done():
	}
}

// sample reads the sensor once, and opens it first where that has to be.
func (s *sensor) sample(ctx context.Context) (driver.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, s.set.Deadline)
	defer cancel()
	began := time.Now()
	s.note(func(st *sensorStats) { st.since = began })
	defer s.note(func(st *sensorStats) { st.since = time.Time{} })
	if !s.isOpen {
		o, err := s.set.Open(s.machine)
		if err != nil {
			s.retry = min(max(2*s.retry, s.set.Interval/4, 500*time.Millisecond), maxReopen)
			return driver.Sample{}, err
		}
		s.open, s.isOpen, s.retry = o, true, 0
	}
	got, err := s.read(ctx)
	if tidy(&got); err == nil && len(got.Fields) == 0 {
		err = fmt.Errorf("%s: it gave no number: %s", s.set.Kind.Name, got.Reason) // nor would anybody store that
	}
	s.note(func(st *sensorStats) {
		st.took = time.Since(began)
		if c, ok := s.open.Reader.(driver.Counter); ok {
			st.counts = c.Counts()
		}
	})
	if err != nil && ctx.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%s: nothing within %v: %w", s.set.Kind.Name, s.set.Deadline, err)
	}
	return got, err
}

// read turns a panic in a driver into an error: a reading less, not a node less.
func (s *sensor) read(ctx context.Context) (sample driver.Sample, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: the driver panicked: %v", s.set.Kind.Name, p)
		}
	}()
	return s.open.Read(ctx)
}

// judge counts failures, logs when they begin and end, and closes a port that may
// be gone.
func (s *sensor) judge(err error) {
	was := s.failed
	if err == nil {
		s.failed = 0
	} else {
		s.failed++
	}
	s.note(func(st *sensorStats) {
		st.up = err == nil
		if err != nil {
			st.errors++
		}
	})
	switch {
	case was == 0 && err != nil:
		s.log.Warn("a sensor fails", "device", s.set.Device, "sensor", s.set.Kind.Name, "err", err)
	case was > 0 && err == nil:
		s.log.Info("a sensor works again", "device", s.set.Device, "sensor", s.set.Kind.Name)
	}
	if err == nil || !s.isOpen {
		return
	}
	if s.set.Kind.Via == driver.Serial && (driver.Gone(err) || s.failed%failsToReopen == 0) {
		s.open.Close() // it is gone anyway
		s.isOpen = false
		s.note(func(st *sensorStats) { st.reopened++ })
	}
}

func (s *sensor) note(f func(*sensorStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

// sleepUntil reports false when ctx ends first.
func sleepUntil(ctx context.Context, t time.Time) bool {
	return driver.RealClock{}.Wait(ctx, time.Until(t)) == nil
}
