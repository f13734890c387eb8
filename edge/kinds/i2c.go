package kinds

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/host/v3/sysfs"

	"github.com/hearth-home/hearth/edge/driver"
)

// buses holds one handle for each I2C bus that is in use. A bus is opened when a chip on
// it is first read.
type buses struct {
	mu   sync.Mutex
	open map[string]*bus
}

func (b *buses) get(_ driver.Sensor, name string) (i2c.Bus, error) {
	n, err := busNumber(name)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := strconv.Itoa(n)
	if b.open[key] == nil {
		b.open[key] = &bus{number: n}
	}
	return b.open[key], nil
}

// bus is one I2C bus. Its lock is held for a single transaction, so that a chip that needs
// a pause between two transactions does not delay the other chips.
type bus struct {
	number int
	mu     sync.Mutex
	dev    *sysfs.I2C
}

func (b *bus) String() string                  { return fmt.Sprintf("/dev/i2c-%d", b.number) }
func (b *bus) SetSpeed(physic.Frequency) error { return nil }

// Tx does one transaction. A bus that was lost, such as that of an unplugged USB adapter,
// is reopened at the next transaction.
func (b *bus) Tx(addr uint16, w, r []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dev == nil {
		d, err := sysfs.NewI2C(b.number)
		if err != nil {
			return fmt.Errorf("open %v: is I2C switched on, and the user in the group i2c? %w", b, err)
		}
		b.dev = d
	}
	err := b.dev.Tx(addr, w, r)
	if err != nil && busLost(err) {
		b.dev.Close()
		b.dev = nil
	}
	return err
}

// busLost reports whether the bus is lost. It compares texts, since the library keeps
// only the text of an error.
func busLost(err error) bool {
	for _, e := range []error{syscall.ENODEV, syscall.EBADF, syscall.ESHUTDOWN} {
		if strings.HasSuffix(err.Error(), e.Error()) {
			return true
		}
	}
	return false
}

// OpenBus opens an I2C bus, by its number or path, to search it for chips.
func OpenBus(path string) (i2c.Bus, error) {
	n, err := busNumber(path)
	if err != nil {
		return nil, err
	}
	return sysfs.NewI2C(n)
}

func busNumber(name string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(name), "i2c-"))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("BUS is %q, not the number or the path of a bus such as /dev/i2c-1", name)
	}
	return n, nil
}
