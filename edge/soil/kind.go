package soil

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "soil", Via: driver.I2C, Interval: 5 * time.Minute, Deadline: 10 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
	Chip: driver.Chip{Addresses: []uint16{0x48, 0x49, 0x4A, 0x4B}, Probe: []byte{regConfig}, ProbeLen: 2, Describe: func(_ i2c.Bus, addr uint16) string {
		return fmt.Sprintf("soil, if it is an ADS1115 (ADDRESS=%#02x)", addr)
	}},
}

type settings struct {
	driver.OnBus
	Config
}

// Check reports a channel or a calibration that is not possible.
func (o *settings) Check() error {
	_, err := newDev(nil, o.Config)
	return err
}

// Open connects the sensor to the bus.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	c.Clock = m.Clock
	return m.OpenI2C(s, o.Bus, func(b i2c.Bus) (driver.Reader, error) { return newDev(b, c) })
}
