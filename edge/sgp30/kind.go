package sgp30

import (
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Kind declares the kind for the agent.
var Kind = driver.Kind{
	Name: "sgp30", Via: driver.I2C, Interval: time.Minute, Deadline: 90 * time.Second,
	Settings: func() driver.Settings { return &settings{} },
	Chip:     driver.Chip{Addresses: []uint16{addr}, Probe: []byte{getSerialID >> 8, getSerialID & 0xFF}, Describe: func(i2c.Bus, uint16) string { return "sgp30" }},
}

type settings struct {
	driver.OnBus
	driver.NextTo
	Config
}

// Fit sets SAMPLES to the interval, so that the chip is measured every second.
func (o *settings) Fit(s *driver.Sensor) error {
	o.Samples = max(int(s.Interval/time.Second), 1)
	s.Deadline = max(s.Deadline, s.Interval+30*time.Second)
	return nil
}

// Open connects the sensor to the bus.
func (o *settings) Open(s driver.Sensor, m *driver.Machine) (driver.Open, error) {
	c, kept := o.Config, baselines{m.State}
	c.Clock, c.Climate = m.Clock, m.Air.Climate(o.Near)
	c.Load, c.Save = kept.load, kept.save
	return m.OpenI2C(s, o.Bus, func(b i2c.Bus) (driver.Reader, error) { return newDev(b, c), nil })
}

// baselines stores the baselines of chips by serial number.
type baselines struct{ store driver.StateStore }

func name(serial string) string { return "sgp30-" + serial }

// load returns the saved baseline. Before the clock is set its age is unknown; then it
// counts as fresh, since a Pi is seldom off for a week.
func (b baselines) load(serial string) (base baseline, ok bool) {
	if !b.store.Load(name(serial), &base) {
		return baseline{}, false
	}
	if now, trusted := b.store.Now(); !trusted {
		base.At = now
	}
	return base, true
}

// save saves a baseline. While the clock is not set it saves nothing: a baseline without
// a date cannot be checked for its age later.
func (b baselines) save(base baseline) {
	if now, trusted := b.store.Now(); trusted {
		base.At = now
		b.store.Save(name(base.Serial), base)
	}
}
