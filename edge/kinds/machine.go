package kinds

import (
	"io"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Real returns this machine. The state of sensors is kept in the folder dir. now returns
// the time, and whether the clock can be trusted.
func Real(dir string, now func() (time.Time, bool)) *driver.Machine {
	b := &buses{open: map[string]*bus{}}
	return &driver.Machine{
		Serial: func(_ driver.Sensor, path string) (io.ReadWriteCloser, error) { return openPort(path) },
		I2C:    b.get,
		Clock:  driver.RealClock{},
		Air:    driver.NewAir(),
		State:  driver.StateStore{Dir: dir, Now: now},
	}
}
