package host

import (
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "host", Via: driver.Files, Interval: 30 * time.Second, Deadline: 15 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
}

type settings struct{ Config }

// Open returns the sensor on the files of m.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	if m.Files != nil {
		c.FS, c.Statfs = m.Files(s)
	}
	return driver.Opened(newDev(c)), nil
}
