package kinds

import (
	"fmt"
	"io"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/bme280"
	"github.com/hearth-home/hearth/edge/dht22"
	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/host"
	"github.com/hearth-home/hearth/edge/kasa"
	"github.com/hearth-home/hearth/edge/mhz19b"
	"github.com/hearth-home/hearth/edge/nut"
	"github.com/hearth-home/hearth/edge/pms5003"
	"github.com/hearth-home/hearth/edge/scd4x"
	"github.com/hearth-home/hearth/edge/sds011"
	"github.com/hearth-home/hearth/edge/sgp30"
	"github.com/hearth-home/hearth/edge/soil"
)

// Serial is where a serial sensor is.
type Serial struct {
	Port string `env:"PORT,required"` // /dev/serial/by-id/… or /dev/serial0
}

// I2C is where a chip is.
type I2C struct {
	Bus string `env:"BUS" envDefault:"1"` // the 1 of /dev/i2c-1
}

// Near names another device whose climate a sensor makes use of.
type Near struct {
	Near string `env:"NEAR"` // device that measures the air at the same place
}

func (s Serial) where() string { return s.Port }
func (b I2C) where() string    { return "i2c-" + b.Bus }

type (
	sds011Options struct {
		Serial
		Near
		sds011.Config
	}
	pms5003Options struct {
		Serial
		Near
		pms5003.Config
	}
	mhz19bOptions struct {
		Serial
		mhz19b.Config
	}
	scd4xOptions struct {
		I2C
		Near
		scd4x.Config
	}
	bme280Options struct {
		I2C
		bme280.Config
	}
	sgp30Options struct {
		I2C
		Near
		sgp30.Config
	}
	soilOptions struct {
		I2C
		soil.Config
	}
	dht22Options struct{ dht22.Config }
	kasaOptions  struct{ kasa.Config }
	nutOptions   struct{ nut.Config }
	hostOptions  struct{ host.Config }
)

func (o *kasaOptions) where() string  { return o.Host }
func (o *nutOptions) where() string   { return o.Host }
func (o *dht22Options) where() string { return o.Name }

// fitSDS011 sees to it that the fan can stop between the readings.
func fitSDS011(s *Sensor) error {
	o := s.Options.(*sds011Options)
	return fitDuty(s, o.DutyCycle, o.WarmUp, o.Samples)
}

func fitPMS5003(s *Sensor) error {
	o := s.Options.(*pms5003Options)
	return fitDuty(s, o.DutyCycle, o.WarmUp, o.Samples)
}

func fitDuty(s *Sensor, duty bool, warmUp time.Duration, samples int) error {
	took := warmUp + time.Duration(3*samples)*time.Second + 10*time.Second
	s.Deadline = max(s.Deadline, took+20*time.Second)
	if duty && s.Interval < took {
		return fmt.Errorf("INTERVAL: a reading takes up to %v, so %v leaves no time to sleep: make it longer or set DUTY_CYCLE=false", took, s.Interval)
	}
	return nil
}

// fitSGP30 lets the chip be measured all the time, as it wants.
func fitSGP30(s *Sensor) error {
	o := s.Options.(*sgp30Options)
	o.Samples = max(int(s.Interval/time.Second), 1)
	s.Deadline = max(s.Deadline, s.Interval+30*time.Second)
	return nil
}

func openSDS011(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*sds011Options)
	return openSerial(s, m, o.Port, func(rw io.ReadWriter) (driver.Reader, error) {
		if m != nil {
			o.Clock, o.Humidity = m.Clock, m.Air.Humidity(o.Near.Near)
		}
		return sds011.New(rw, o.Config), nil
	})
}

func openPMS5003(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*pms5003Options)
	return openSerial(s, m, o.Port, func(rw io.ReadWriter) (driver.Reader, error) {
		if m != nil {
			o.Clock, o.Humidity = m.Clock, m.Air.Humidity(o.Near.Near)
		}
		return pms5003.New(rw, o.Config), nil
	})
}

func openMHZ19B(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*mhz19bOptions)
	return openSerial(s, m, o.Port, func(rw io.ReadWriter) (driver.Reader, error) {
		if m != nil {
			o.Clock = m.Clock
		}
		return mhz19b.New(rw, o.Config)
	})
}

func openSCD4x(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*scd4xOptions)
	return openI2C(s, m, o.Bus, func(b i2c.Bus) (driver.Reader, error) {
		if m != nil {
			o.Clock, o.Pressure = m.Clock, m.Air.Pressure(o.Near.Near)
		}
		return scd4x.New(b, o.Config)
	})
}

func openBME280(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*bme280Options)
	return openI2C(s, m, o.Bus, func(b i2c.Bus) (driver.Reader, error) {
		if m != nil {
			o.Clock = m.Clock
		}
		return bme280.New(b, o.Config), nil
	})
}

func openSGP30(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*sgp30Options)
	return openI2C(s, m, o.Bus, func(b i2c.Bus) (driver.Reader, error) {
		if m != nil {
			o.Clock, o.Climate = m.Clock, m.Air.Climate(o.Near.Near)
			o.Load, o.Save = m.Baselines.Load, m.Baselines.Save
		}
		return sgp30.New(b, o.Config), nil
	})
}

func openSoil(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*soilOptions)
	return openI2C(s, m, o.Bus, func(b i2c.Bus) (driver.Reader, error) {
		if m != nil {
			o.Clock = m.Clock
		}
		return soil.New(b, o.Config)
	})
}

func openDHT22(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*dht22Options)
	if m != nil {
		o.Clock = m.Clock
		if m.Files != nil {
			o.FS, _ = m.Files(s)
		}
	}
	return Open{Reader: dht22.New(o.Config)}, nil
}

func openKasa(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*kasaOptions)
	if m != nil && m.Host != nil {
		o.Host, o.Port = m.Host(s)
	}
	d, err := kasa.New(o.Config)
	return Open{Reader: d}, err
}

func openNUT(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*nutOptions)
	if m != nil && m.Host != nil {
		o.Host, o.Port = m.Host(s)
	}
	return Open{Reader: nut.New(o.Config)}, nil
}

func openHost(s Sensor, m *Machine) (Open, error) {
	o := *s.Options.(*hostOptions)
	if m != nil && m.Files != nil {
		o.FS, o.Statfs = m.Files(s)
	}
	return Open{Reader: host.New(o.Config)}, nil
}

func openSerial(s Sensor, m *Machine, port string, build func(io.ReadWriter) (driver.Reader, error)) (Open, error) {
	if m == nil {
		_, err := build(nil)
		return Open{}, err
	}
	p, err := m.Serial(s, port)
	if err != nil {
		return Open{}, err
	}
	r, err := build(p)
	return Open{Reader: r, close: p.Close}, err
}

func openI2C(s Sensor, m *Machine, bus string, build func(i2c.Bus) (driver.Reader, error)) (Open, error) {
	var b i2c.Bus
	if m != nil {
		var err error
		if b, err = m.I2C(s, bus); err != nil {
			return Open{}, err
		}
	}
	r, err := build(b)
	return Open{Reader: r}, err
}
