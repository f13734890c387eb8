package scd4x

import (
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "scd4x", Via: driver.I2C, Interval: 30 * time.Second, Deadline: 2 * time.Minute,
	Settings: func() driver.Settings { return &settings{} },
	Chip:     driver.Chip{Addresses: []uint16{addr}, Probe: []byte{getSerialNumber >> 8, getSerialNumber & 0xFF}, Describe: func(i2c.Bus, uint16) string { return "scd4x" }},
}

type settings struct {
	driver.OnBus
	driver.NextTo
	Config
}

// Check reports a setting that the sensor does not accept.
func (o *settings) Check() error {
	_, err := newDev(nil, o.Config)
	return err
}

// Open connects the sensor to the bus.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	c.Clock, c.Pressure = m.Clock, m.Air.Pressure(o.Near)
	return m.OpenI2C(s, o.Bus, func(b i2c.Bus) (driver.Reader, error) { return newDev(b, c) })
}
