package driver

import (
	"errors"
	"io"
	"io/fs"

	"periph.io/x/conn/v3/i2c"
)

// Machine is the machine that sensors are connected to, real or simulated.
type Machine struct {
	// Serial opens a port at 9600 8N1 whose reads time out after 100 ms.
	Serial func(s Sensor, port string) (io.ReadWriteCloser, error)
	// I2C returns a bus by its number or path.
	I2C func(s Sensor, bus string) (i2c.Bus, error)
	// Host returns the address of a network sensor. Nil: its settings have it.
	Host func(s Sensor) (host string, port int)
	// Files returns the file system that a sensor is read from, and a function for the
	// space of a mount point in bytes. Nil: those of this machine.
	Files func(s Sensor) (fs.FS, func(mount string) (size, free uint64, err error))

	Clock     Clock
	Air       *Air // latest samples, for sensors that use another's values
	State     StateStore
	Simulated bool // its sensors are simulated
}

// OpenSerial opens a serial port and builds a sensor on it. Closing the sensor closes
// the port.
func (m *Machine) OpenSerial(s Sensor, port string, build func(io.ReadWriter) (Reader, error)) (Open, error) {
	p, err := m.Serial(s, port)
	if err != nil {
		return Open{}, err
	}
	r, err := build(p)
	if err != nil {
		return Open{}, errors.Join(err, p.Close())
	}
	return Open{Reader: r, close: p.Close}, nil
}

// OpenI2C builds a sensor on an I2C bus. Other sensors share the bus.
func (m *Machine) OpenI2C(s Sensor, bus string, build func(i2c.Bus) (Reader, error)) (Open, error) {
	b, err := m.I2C(s, bus)
	if err != nil {
		return Open{}, err
	}
	r, err := build(b)
	return Open{Reader: r}, err
}
