package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// Kind declares a kind of sensor. Each kind's package has one variable of this type. The
// catalogue tells which measurement its readings are of: see Measurement.
type Kind struct {
	Name     string        // as in SENSOR_0_KIND and in the MQTT message
	Via      Via           // how its sensors are connected
	Interval time.Duration // default time between readings
	Every    time.Duration // default time between the samples of a reading; 0: one sample is a reading
	Combine  string        // default way to combine samples: median or mean
	Deadline time.Duration // default deadline of one sample
	// Settings returns an empty struct for the kind's own settings. Its env tags
	// name them: PORT is SENSOR_0_PORT.
	Settings func() Settings
	Chip     Chip   // how such a chip is found on I2C
	IIO      string // prefix of such a device's name in iio
}

// Chip tells how a kind's chips are found on an I2C bus.
type Chip struct {
	Addresses []uint16
	// Probe is a command or register that changes nothing. A chip that does not
	// acknowledge a plain read acknowledges Probe, and answers with ProbeLen bytes.
	Probe    []byte
	ProbeLen int
	// Describe tells a person which chip answered at an address.
	Describe func(bus i2c.Bus, addr uint16) string
}

// Via is how a sensor is connected.
type Via string

// The ways in which sensors are connected.
const (
	Serial  Via = "serial"  // a serial port for this sensor alone, which may be unplugged
	I2C     Via = "i2c"     // a chip on a bus
	IIO     Via = "iio"     // files of the kernel's industrial I/O subsystem
	Network Via = "network" // a device on the network, reachable from every machine
	Files   Via = "files"   // files of the machine itself
)

// Measurement names the catalogue's measurement that the kind's readings are of.
// It is empty where the catalogue does not name the kind.
func (k Kind) Measurement() string {
	m, _ := catalogue.OfKind(k.Name)
	return m
}

// Settings are the settings of one kind of sensor. They may also have these methods:
//
//	Check() error          reports settings that are wrong
//	Fit(s *Sensor) error   adapts the sensor's interval and deadline to them
//	Where() string         where the sensor is, for a person
type Settings interface {
	// Open connects the sensor s to m. It reads nothing yet.
	Open(s Sensor, m *Machine) (Open, error)
}

// Sensor is one configured sensor.
type Sensor struct {
	Number   int // the n of SENSOR_n_KIND
	Kind     Kind
	Device   string        // name of the device; its history belongs to this name alone
	Interval time.Duration // between readings
	Every    time.Duration // between the samples of a reading
	Combine  string        // how samples are combined: median or mean
	Deadline time.Duration // of one sample
	Settings Settings
}

// Open connects the sensor to m. It reads nothing yet.
func (s Sensor) Open(m *Machine) (Open, error) { return s.Settings.Open(s, m) }

// Where returns, for a person, where the sensor is: a port, a bus, a host.
func (s Sensor) Where() string {
	if o, ok := s.Settings.(interface{ Where() string }); ok {
		return o.Where()
	}
	return string(s.Kind.Via)
}

// Check reports what is wrong with the kind's own settings.
func (s Sensor) Check() error {
	if o, ok := s.Settings.(interface{ Check() error }); ok {
		return o.Check()
	}
	return nil
}

// Fit adapts the sensor's interval and deadline to the kind's own settings. An error
// names the setting that does not fit.
func (s *Sensor) Fit() error {
	if o, ok := s.Settings.(interface{ Fit(*Sensor) error }); ok {
		return o.Fit(s)
	}
	return nil
}

// AtPort is the setting of a sensor on a serial line.
type AtPort struct {
	Port string `env:"PORT,required"` // /dev/serial/by-id/… or /dev/serial0
}

// Where returns the port.
func (p AtPort) Where() string { return p.Port }

// OnBus is the setting of a chip on I2C.
type OnBus struct {
	Bus string `env:"BUS" envDefault:"1"` // the 1 of /dev/i2c-1
}

// Where returns the bus.
func (b OnBus) Where() string { return "i2c-" + b.Bus }

// NextTo is the setting of a sensor that uses the values of another sensor.
type NextTo struct {
	Near string `env:"NEAR"` // device that measures the air at the same spot
}

// FitDuty checks that a fan can stop between readings, if duty is true, and raises the
// deadline if necessary. A reading takes warmUp and up to three seconds a sample.
func FitDuty(s *Sensor, duty bool, warmUp time.Duration, samples int) error {
	took := warmUp + time.Duration(3*samples)*time.Second + 10*time.Second
	s.Deadline = max(s.Deadline, took+20*time.Second)
	if duty && s.Interval < took {
		return fmt.Errorf("INTERVAL: a reading takes up to %v, so %v leaves no time to sleep: make it longer or set DUTY_CYCLE=false", took, s.Interval)
	}
	return nil
}

// Open is a connected sensor.
type Open struct {
	Reader
	close func() error
}

// Opened returns a connected sensor that needs no Close.
func Opened(r Reader) Open { return Open{Reader: r} }

// Close closes the sensor's port, if it has one of its own.
func (o Open) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

// PortLost reports whether err is an error of the port and not of the sensor behind it.
// The port must then be reopened.
func PortLost(err error) bool {
	for _, own := range []error{ErrNoAnswer, ErrChecksum, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, own) {
			return false
		}
	}
	return err != nil
}
