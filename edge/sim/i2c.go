package sim

import (
	"fmt"
	"sync"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"github.com/hearth-home/hearth/edge/driver"
)

// Chip is a simulated chip on an I2C bus. Tx does one transaction; an error is a missing
// acknowledgement.
type Chip interface {
	Tx(now time.Time, w, r []byte) error
	faultsOf() *Faults
}

// Bus is a simulated I2C bus.
type Bus struct {
	clock   driver.Clock
	mu      sync.Mutex
	chips   map[uint16]Chip
	newChip func(addr uint16) Chip // makes the chip at an address at its first transaction; nil: only added chips exist
}

var _ i2c.Bus = (*Bus)(nil)

// NewBus returns a bus without chips.
func NewBus(clock driver.Clock) *Bus { return &Bus{clock: clock, chips: map[uint16]Chip{}} }

// Add puts a chip on the bus and returns the bus.
func (b *Bus) Add(addr uint16, c Chip) *Bus {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chips[addr] = c
	return b
}

func (b *Bus) String() string { return "simulated I2C bus" }

// SetSpeed does nothing.
func (b *Bus) SetSpeed(physic.Frequency) error { return nil }

// Tx does one transaction. If there is no chip at the address, or the chip is busy or does
// not acknowledge, the error has the text of Linux.
func (b *Bus) Tx(addr uint16, w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.chips[addr]
	if c == nil && b.newChip != nil {
		c = b.newChip(addr)
		b.chips[addr] = c
	}
	if c == nil {
		return fmt.Errorf("sim-i2c: %w", errNACK)
	}
	hit := c.faultsOf().nextFrame()
	if hit&(NACK|Unplugged) != 0 {
		return fmt.Errorf("sim-i2c: %w", errNACK)
	}
	if err := c.Tx(b.clock.Now(), w, r); err != nil {
		return fmt.Errorf("sim-i2c: %w", err)
	}
	if len(r) > 0 && hit&BadCRC != 0 {
		r[len(r)/2] ^= 0x04
	}
	if hit&Noise != 0 {
		for i := range r {
			r[i] = 0xFF
		}
	}
	return nil
}
