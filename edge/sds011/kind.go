package sds011

import (
	"io"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "sds011", Via: driver.Serial, Interval: 5 * time.Minute, Deadline: 90 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
}

type settings struct {
	driver.AtPort
	driver.NextTo
	Config
}

// Fit checks that the fan can stop between readings.
func (o *settings) Fit(s *driver.Sensor) error {
	return driver.FitDuty(s, o.DutyCycle, o.WarmUp, o.Samples)
}

// Open opens the sensor's port.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	c.Clock, c.Humidity = m.Clock, m.Air.Humidity(o.Near)
	return m.OpenSerial(s, o.Port, func(rw io.ReadWriter) (driver.Reader, error) { return newDev(rw, c), nil })
}
