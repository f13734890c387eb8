// Package kinds makes drivers of settings: it knows the kinds of sensors, what
// each of them is read through, and how often it wants to be read.
package kinds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Machine is what sensors are connected to: this one, or a simulated one.
type Machine struct {
	Serial func(s Sensor, port string) (io.ReadWriteCloser, error)
	I2C    func(s Sensor, bus string) (i2c.Bus, error)
	// Host is where a network sensor really is. Nil: where its settings say.
	Host func(s Sensor) (host string, port int)
	// Files are the files of sensors that are files. Nil: those of the disk.
	Files func(s Sensor) (fs.FS, func(mount string) (size, free uint64, err error))

	Clock     driver.Clock
	Air       *Air
	Baselines Baselines
	Simulated bool
}

// Open is a sensor that can be read. Close gives back what it is read through.
type Open struct {
	driver.Reader
	close func() error
}

// Close gives the port back.
func (o Open) Close() error {
	if o.close == nil {
		return nil
	}
	return o.close()
}

// kind is how sensors of a kind are used unless told.
type kind struct {
	interval time.Duration // between readings
	every    time.Duration // between the samples of a reading; 0: one sample is a reading
	combine  string        // of the samples: median or mean
	deadline time.Duration // of one sample
	network  bool          // it belongs to the house, not to this machine
	via      string        // what a person sees it connected by
	options  func() any
	// open checks the options where m is nil, and else opens the sensor.
	open func(s Sensor, m *Machine) (Open, error)
	// fit adapts the defaults to the options.
	fit func(s *Sensor) error
}

var kinds = map[string]kind{
	"sds011": {
		interval: 5 * time.Minute, deadline: 90 * time.Second, via: "serial",
		options: options[sds011Options], open: openSDS011, fit: fitSDS011,
	},
	"pms5003": {
		interval: 5 * time.Minute, deadline: 90 * time.Second, via: "serial",
		options: options[pms5003Options], open: openPMS5003, fit: fitPMS5003,
	},
	"mhz19b": {
		interval: 30 * time.Second, every: 6 * time.Second, combine: "median", deadline: 15 * time.Second, via: "serial",
		options: options[mhz19bOptions], open: openMHZ19B,
	},
	"scd4x": {
		interval: 30 * time.Second, deadline: 2 * time.Minute, via: "i2c",
		options: options[scd4xOptions], open: openSCD4x,
	},
	"bme280": {
		interval: time.Minute, every: 10 * time.Second, combine: "median", deadline: 5 * time.Second, via: "i2c",
		options: options[bme280Options], open: openBME280,
	},
	"sgp30": {
		interval: time.Minute, deadline: 90 * time.Second, via: "i2c",
		options: options[sgp30Options], open: openSGP30, fit: fitSGP30,
	},
	"soil": {
		interval: 5 * time.Minute, deadline: 10 * time.Second, via: "i2c",
		options: options[soilOptions], open: openSoil,
	},
	"dht22": {
		interval: time.Minute, deadline: 20 * time.Second, via: "iio",
		options: options[dht22Options], open: openDHT22,
	},
	"kasa": {
		interval: 30 * time.Second, every: 10 * time.Second, combine: "mean", deadline: 15 * time.Second, network: true, via: "network",
		options: options[kasaOptions], open: openKasa,
	},
	"nut": {
		interval: 15 * time.Second, deadline: 10 * time.Second, network: true, via: "network",
		options: options[nutOptions], open: openNUT,
	},
	"host": {
		interval: 30 * time.Second, deadline: 15 * time.Second, via: "files",
		options: options[hostOptions], open: openHost,
	},
}

// Names lists the kinds.
func Names() []string { return slices.Sorted(maps.Keys(kinds)) }

func options[T any]() any { return new(T) }

// Open connects the sensor to m. Nothing is read yet.
func (s Sensor) Open(m *Machine) (Open, error) {
	k, ok := kinds[s.Kind]
	if !ok {
		return Open{}, fmt.Errorf("there is no kind %q", s.Kind)
	}
	return k.open(s, m)
}

// Network reports a sensor that belongs to the house and not to one machine.
func (s Sensor) Network() bool { return kinds[s.Kind].network }

// Serial reports a sensor with a port of its own, which may be unplugged.
func (s Sensor) Serial() bool { return kinds[s.Kind].via == "serial" }

// Via names what it is read through, for a person.
func (s Sensor) Via() string {
	if o, ok := s.Options.(interface{ where() string }); ok {
		return o.where()
	}
	return kinds[s.Kind].via
}

// Gone reports an error after which a port has to be opened anew: one of the
// port's, not of the sensor behind it.
func Gone(err error) bool {
	for _, own := range []error{driver.ErrNoAnswer, driver.ErrChecksum, context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, own) {
			return false
		}
	}
	return err != nil
}
