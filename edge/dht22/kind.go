package dht22

import (
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "dht22", Via: driver.IIO, Interval: time.Minute, Deadline: 20 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
	IIO:      "dht11", // the kernel's driver serves both
}

type settings struct{ Config }

// Where returns the device's name in iio.
func (o *settings) Where() string { return o.Name }

// Open returns the sensor on the files of m.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	c.Clock = m.Clock
	if m.Files != nil {
		c.FS, _ = m.Files(s)
	}
	return driver.Opened(newDev(c)), nil
}
