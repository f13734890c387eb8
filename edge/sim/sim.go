// Package sim holds simulated sensors with the same protocols as the real ones, byte for
// byte: serial sensors over ptys, chips on an I2C bus, plugs and UPS servers on TCP, and
// the files of a Linux machine. The real drivers read them, in tests and on machines
// without sensors.
//
// Their values change slowly and plausibly, and depend only on the seed and the time.
// Faults of real sensors can be switched on: see Fault.
package sim

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Virtual is a clock that advances only when Wait is called, and then at once: thirty
// seconds of warm-up take no time. It is safe for concurrent use.
type Virtual struct {
	mu  sync.Mutex
	now time.Time
}

// NewVirtual returns a clock that starts at a fixed time.
func NewVirtual() *Virtual {
	return &Virtual{now: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)}
}

// Now returns the clock's time.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Wait advances the clock by d and returns at once.
func (v *Virtual) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(max(d, 0))
	return nil
}

// Fast is a clock that runs faster than the machine's clock.
type Fast struct {
	start time.Time
	scale float64
}

// NewFast returns a clock that advances by scale seconds in one real second. A scale
// below 1 counts as 1.
func NewFast(scale float64) Fast { return Fast{time.Now(), max(scale, 1)} }

// Now returns the accelerated time.
func (f Fast) Now() time.Time {
	return f.start.Add(time.Duration(float64(time.Since(f.start)) * f.scale))
}

// Wait waits for d of the accelerated time.
func (f Fast) Wait(ctx context.Context, d time.Duration) error {
	return driver.RealClock{}.Wait(ctx, time.Duration(float64(d)/f.scale))
}

// wave is a value that changes slowly: the sum of three sine waves around mean, within
// mean ± spread.
type wave struct {
	mean, spread float64
	phase        [3]float64
}

func newWave(rng *rand.Rand, mean, spread float64) wave {
	w := wave{mean: mean, spread: spread}
	for i := range w.phase {
		w.phase[i] = rng.Float64() * 2 * math.Pi
	}
	return w
}

func (w wave) at(now time.Time) float64 {
	t := float64(now.UnixMilli()) / 1000
	sum := 0.6*math.Sin(t/5400*2*math.Pi+w.phase[0]) +
		0.3*math.Sin(t/1020*2*math.Pi+w.phase[1]) +
		0.1*math.Sin(t/67*2*math.Pi+w.phase[2])
	return w.mean + w.spread*sum
}

// orHigh is at, but while the fault High is on the value is near high.
func (w wave) orHigh(high float64, f *Faults, now time.Time) float64 {
	if f.has(High) {
		w.mean, w.spread = high, high/100
	}
	return w.at(now)
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6865617274680000)) }

// frozen returns the time at which a simulated sensor takes its values. While the fault
// Frozen is on, the time stands still.
type frozen struct{ at time.Time }

func (f *frozen) time(now time.Time, faults *Faults) time.Time {
	if !faults.has(Frozen) || f.at.IsZero() {
		f.at = now
	}
	return f.at
}
