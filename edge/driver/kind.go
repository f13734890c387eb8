package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// Kind is what the folder of a kind of sensor declares of it. What its readings
// are of, the catalogue says: see Measurement.
type Kind struct {
	Name     string        // as in SENSOR_0_KIND and in the message on MQTT
	Via      Via           // what its sensors are connected by
	Interval time.Duration // between readings, unless told
	Every    time.Duration // between the samples of a reading; 0: one sample is a reading
	Combine  string        // of the samples: median or mean
	Deadline time.Duration // of one sample
	// Settings returns an empty struct for the kind's own settings. Its env tags
	// name them: PORT is SENSOR_0_PORT.
	Settings func() Settings
	Chip     Chip   // how one is found on I2C
	IIO      string // how the name of one begins in iio
}

// Chip is how a kind's chips are found on an I2C bus.
type Chip struct {
	Addresses []uint16
	// Ask is a command or register that changes nothing. Chips that a bare read does
	// not wake acknowledge it, or answer with so many bytes.
	Probe    []byte
	ProbeLen int
	// Name says what it is that answered at an address, for a person.
	Describe func(bus i2c.Bus, addr uint16) string
}

// Via is what a sensor is connected by.
type Via string

// The ways in which sensors are connected.
const (
	Serial  Via = "serial"  // a port of its own, which may be unplugged
	I2C     Via = "i2c"     // a chip on a bus
	IIO     Via = "iio"     // the kernel's files of industrial sensors
	Network Via = "network" // it belongs to the house, not to one machine
	Files   Via = "files"   // of the machine itself
)

// Measurement names the catalogue's measurement that the kind's readings are of.
// It is empty where the catalogue does not name the kind.
func (k Kind) Measurement() string {
	m, _ := catalogue.OfKind(k.Name)
	return m
}

// Settings are the ones that only sensors of a kind have. They may also have
//
//	Check() error          what is wrong with them by themselves
//	Fit(s *Sensor) error   adapts the sensor's pace to them
//	Where() string         where the sensor is, for a person
type Settings interface {
	// Open connects the sensor to m. Nothing is read yet.
	Open(s Sensor, m *Machine) (Open, error)
}

// Sensor is one sensor, as its settings say.
type Sensor struct {
	Number   int // the n of SENSOR_n_KIND
	Kind     Kind
	Device   string        // what it is in the house: its history hangs on this name alone
	Interval time.Duration // between readings
	Every    time.Duration // between the samples of a reading
	Combine  string        // of the samples: median or mean
	Deadline time.Duration // of one sample
	Settings Settings
}

// Open connects the sensor to m. Nothing is read yet.
func (s Sensor) Open(m *Machine) (Open, error) { return s.Settings.Open(s, m) }

// Where tells a person where the sensor is.
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

// Fit adapts the sensor's pace to the kind's own settings. An error names the
// setting that cannot be.
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

// Where is the port.
func (p AtPort) Where() string { return p.Port }

// OnBus is the setting of a chip on I2C.
type OnBus struct {
	Bus string `env:"BUS" envDefault:"1"` // the 1 of /dev/i2c-1
}

// Where is the bus.
func (b OnBus) Where() string { return "i2c-" + b.Bus }

// NextTo is the setting of a sensor that makes use of another's values.
type NextTo struct {
	Near string `env:"NEAR"` // device that measures the air at the same place
}

// FitDuty sees to it that a fan can stop between the readings: one takes warmUp and
// up to three seconds a sample.
func FitDuty(s *Sensor, duty bool, warmUp time.Duration, samples int) error {
	took := warmUp + time.Duration(3*samples)*time.Second + 10*time.Second
	s.Deadline = max(s.Deadline, took+20*time.Second)
	if duty && s.Interval < took {
		return fmt.Errorf("INTERVAL: a reading takes up to %v, so %v leaves no time to sleep: make it longer or set DUTY_CYCLE=false", took, s.Interval)
	}
	return nil
}

// Open is a sensor that can be read.
type Open struct {
	Reader
	close func() error
}

// Opened returns a sensor that has nothing to give back.
func Opened(r Reader) Open { return Open{Reader: r} }

// Close gives back the port that the sensor is read through.
func (o Open) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

// Gone reports an error after which a port has to be opened anew: one of the
// port, not of the sensor behind it.
func PortLost(err error) bool {
	for _, own := range []error{ErrNoAnswer, ErrChecksum, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, own) {
			return false
		}
	}
	return err != nil
}
