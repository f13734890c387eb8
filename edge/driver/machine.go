package driver

import (
	"errors"
	"io"
	"io/fs"

	"periph.io/x/conn/v3/i2c"
)

// Machine is what sensors are connected to: this one, or a simulated one.
type Machine struct {
	// Serial opens a port at 9600 8N1 whose reads time out after 100 ms.
	Serial func(s Sensor, port string) (io.ReadWriteCloser, error)
	// I2C returns a bus by its number or path.
	I2C func(s Sensor, bus string) (i2c.Bus, error)
	// Host is where a network sensor really is. Nil: where its settings say.
	Host func(s Sensor) (host string, port int)
	// Files are the files of a sensor that is files, and the space of a file system
	// in bytes. Nil: those of the disk.
	Files func(s Sensor) (fs.FS, func(mount string) (size, free uint64, err error))

	Clock     Clock
	Air       *Air
	State     StateStore
	Simulated bool // its sensors are
}

// OpenSerial opens a sensor on a serial line. The port is closed with it.
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

// OpenI2C opens a chip on a bus, which others share.
func (m *Machine) OpenI2C(s Sensor, bus string, build func(i2c.Bus) (Reader, error)) (Open, error) {
	b, err := m.I2C(s, bus)
	if err != nil {
		return Open{}, err
	}
	r, err := build(b)
	return Open{Reader: r}, err
}
