package bme280

import (
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "bme280", Via: driver.I2C, Interval: time.Minute, Every: 10 * time.Second, Combine: "median", Deadline: 5 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
	Chip:     driver.Chip{Addresses: []uint16{0x76, 0x77}, Probe: []byte{regID}, ProbeLen: 1, Describe: chipName},
}

type settings struct {
	driver.OnBus
	Config
}

// Open connects the sensor to the bus.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c := o.Config
	c.Clock = m.Clock
	return m.OpenI2C(s, o.Bus, func(b i2c.Bus) (driver.Reader, error) { return newDev(b, c), nil })
}

// chipName identifies the chip at an address by its id. A BMP280, or a chip of another
// kind, may have the same address.
func chipName(bus i2c.Bus, addr uint16) string {
	id := make([]byte, 1)
	if bus.Tx(addr, []byte{regID}, id) != nil {
		return "perhaps a bme280"
	}
	switch id[0] {
	case idBME280:
		return fmt.Sprintf("bme280 (ADDRESS=%#02x)", addr)
	case idBMP280:
		return fmt.Sprintf("bme280 without humidity: a BMP280 (ADDRESS=%#02x)", addr)
	}
	return fmt.Sprintf("not a bme280: the chip has the id %#02x", id[0])
}
