package sim

import (
	"errors"
	"sync"
	"time"
)

// Fault is a fault of a sensor.
type Fault uint32

// The faults. Each kind of sensor supports those that make sense for it.
const (
	Noise          Fault = 1 << iota // stray bytes between frames; all ones on I2C; a garbled answer on TCP
	Torn                             // the end of a frame or answer is missing
	BadCRC                           // a bit is wrong
	NACK                             // the chip does not acknowledge; the server refuses
	Unplugged                        // the port is unplugged
	Frozen                           // values no longer change
	WarmUp                           // values as in the sensor's first minutes after power-up
	Slow                             // answers come late
	IgnoreCommands                   // commands have no effect, but data still comes
	High                             // what the sensor warns of is far over its limit
)

// slowDelay is the delay of an answer while Slow is on.
const slowDelay = 700 * time.Millisecond

var (
	errNACK = errors.New("remote I/O error") // the text of Linux
	//lint:ignore ST1005 the text of go.bug.st/serial
	errClosed = errors.New("Port has been closed")
)

// Faults switches the faults of one simulated sensor. The zero value has none. It is safe
// for concurrent use.
type Faults struct {
	mu    sync.Mutex
	on    Fault
	every int
	n     int
}

// Set switches faults on, for every frame.
func (f *Faults) Set(faults Fault) { f.SetEvery(faults, 1) }

// SetEvery switches faults on; those of frames affect every nth frame.
func (f *Faults) SetEvery(faults Fault, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on |= faults
	f.every = max(n, 1)
}

// Clear switches faults off.
func (f *Faults) Clear(faults Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on &^= faults
}

// has reports whether a fault is on.
func (f *Faults) has(fault Fault) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.on&fault != 0
}

// replace switches these faults on and all others off.
func (f *Faults) replace(faults Fault) {
	f.Clear(^faults)
	f.Set(faults)
}

// own returns the faults of the sensor that embeds f.
func (f *Faults) own() *Faults { return f }

// nextFrame counts a frame and returns the faults that affect it.
func (f *Faults) nextFrame() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.every > 1 && f.n%f.every != 0 {
		return 0
	}
	return f.on
}
