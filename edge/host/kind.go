package host

import (
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind is how an agent reads the machine.
var Kind = driver.Kind{
	Name: "host", Via: driver.Files, Interval: 30 * time.Second, Deadline: 15 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
}

type settings struct{ Config }

// Open finds the files.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	if m.Files != nil {
		c.FS, c.Statfs = m.Files(s)
	}
	return driver.Opened(newDev(c)), nil
}
