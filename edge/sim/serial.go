package sim

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// UART is a simulated sensor on a serial line.
type UART interface {
	Receive(now time.Time, b []byte) // receives bytes from the host
	Transmit(now time.Time) []byte   // returns the next frame that is due, or nil
	faultsOf() (*Faults, *rand.Rand) // the faults of its line, and randomness for them
}

// Serial is the host's end of a line to a simulated sensor. It behaves like a
// go.bug.st/serial port with a read timeout of 100 ms: a timeout is (0, nil).
type Serial struct {
	dev   UART
	clock driver.Clock
	mu    sync.Mutex
	queue []burst
}

type burst struct {
	due   time.Time
	bytes []byte
}

// NewSerial returns the host's end of a line to dev.
func NewSerial(dev UART, clock driver.Clock) *Serial { return &Serial{dev: dev, clock: clock} }

// Write sends bytes to the sensor.
func (s *Serial) Write(b []byte) (int, error) {
	faults, _ := s.dev.faultsOf()
	if faults.has(Unplugged) {
		return 0, errClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collect() // frames that were due before the command
	if !faults.has(IgnoreCommands) {
		s.dev.Receive(s.clock.Now(), b)
	}
	return len(b), nil
}

// Read returns bytes from the sensor, or (0, nil) after 100 ms without any.
func (s *Serial) Read(b []byte) (int, error) {
	faults, _ := s.dev.faultsOf()
	for range 10 {
		if faults.has(Unplugged) {
			return 0, errClosed
		}
		if n := s.next(b); n > 0 {
			return n, nil
		}
		if err := s.clock.Wait(context.Background(), 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// ResetInputBuffer drops received bytes that were not read.
func (s *Serial) ResetInputBuffer() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collect()
	s.queue = nil
	return nil
}

func (s *Serial) next(b []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.collect()
	if len(s.queue) == 0 || s.queue[0].due.After(s.clock.Now()) {
		return 0
	}
	n := copy(b, s.queue[0].bytes)
	if s.queue[0].bytes = s.queue[0].bytes[n:]; len(s.queue[0].bytes) == 0 {
		s.queue = s.queue[1:]
	}
	return n
}

// collect queues every frame that is due from the sensor, with its faults. Like a
// kernel's buffer the queue is limited, to 128 frames.
func (s *Serial) collect() {
	now := s.clock.Now()
	faults, rng := s.dev.faultsOf()
	for f := s.dev.Transmit(now); f != nil; f = s.dev.Transmit(now) {
		hit, due := faults.nextFrame(), now
		if hit&Slow != 0 {
			due = due.Add(slowDelay)
		}
		if len(s.queue) < 128 {
			s.queue = append(s.queue, burst{due, applyFaults(f, hit, rng)})
		}
	}
}

// applyFaults applies the faults of a line to a frame.
func applyFaults(f []byte, hit Fault, rng *rand.Rand) []byte {
	out := append([]byte(nil), f...)
	if hit&BadCRC != 0 {
		out[len(out)/2] ^= 1 << rng.IntN(8)
	}
	if hit&Torn != 0 {
		out = out[:1+rng.IntN(len(out)-1)]
	}
	if hit&Noise != 0 {
		noise := make([]byte, 1+rng.IntN(2*len(f)))
		for i := range noise {
			noise[i] = byte(rng.IntN(256))
		}
		noise = append(noise, f[:2]...) // bytes that look like the head of a frame
		out = append(noise, out...)
	}
	return out
}
