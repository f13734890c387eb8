package sim

import (
	"errors"
	"sync"
	"time"
)

// Fault is something that goes wrong with a sensor.
type Fault uint32

// The faults. Each kind of sensor has those that make sense for it.
const (
	Noise          Fault = 1 << iota // stray bytes between frames; all-ones on I2C; a cut answer on TCP
	Torn                             // the end of a frame is missing
	BadCRC                           // a bit is wrong
	NACK                             // the chip does not acknowledge; the server refuses
	Unplugged                        // the port is gone
	Frozen                           // the value no longer moves
	WarmUp                           // what the sensor says in its first minutes
	Slow                             // answers come late
	IgnoreCommands                   // commands are not heard, data still comes
)

// Late is by how much an answer is late while Slow is on.
const slowDelay = 700 * time.Millisecond

var (
	errNACK = errors.New("remote I/O error") // as Linux says it
	//lint:ignore ST1005 as go.bug.st/serial says it
	errClosed = errors.New("Port has been closed")
)

// Faults is the switchboard of one simulated sensor. The zero value is a
// healthy one.
type Faults struct {
	mu    sync.Mutex
	on    Fault
	every int
	n     int
}

// Set turns faults on, every time.
func (f *Faults) Set(faults Fault) { f.SetEvery(faults, 1) }

// SetEvery turns faults on; those of frames hit every nth frame.
func (f *Faults) SetEvery(faults Fault, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on |= faults
	f.every = max(n, 1)
}

// Clear turns faults off.
func (f *Faults) Clear(faults Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on &^= faults
}

// has reports whether fault is on.
func (f *Faults) has(fault Fault) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.on&fault != 0
}

// turn counts a frame and returns the faults that hit it.
func (f *Faults) nextFrame() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.every > 1 && f.n%f.every != 0 {
		return 0
	}
	return f.on
}
