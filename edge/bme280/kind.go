package bme280

import (
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind is how an agent uses these sensors.
var Kind = driver.Kind{
	Name: "bme280", Via: driver.I2C, Interval: time.Minute, Every: 10 * time.Second, Combine: "median", Deadline: 5 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
}

type settings struct {
	driver.OnBus
	Config
}

// Open takes the bus.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	c.Clock = m.Clock
	return m.OpenI2C(s, o.Bus, func(b i2c.Bus) (driver.Reader, error) { return New(b, c), nil })
}
