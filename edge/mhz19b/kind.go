package mhz19b

import (
	"io"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "mhz19b", Via: driver.Serial, Interval: 30 * time.Second, Every: 6 * time.Second, Combine: "median", Deadline: 15 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
}

type settings struct {
	driver.AtPort
	Config
}

// Check reports a value of RANGE or ABC that is not possible.
func (o *settings) Check() error {
	_, err := newDev(nil, o.Config)
	return err
}

// Open opens the sensor's port.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	c.Clock = m.Clock
	return m.OpenSerial(s, o.Port, func(rw io.ReadWriter) (driver.Reader, error) { return newDev(rw, c) })
}
