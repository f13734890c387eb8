// Package dht22 reads a DHT22 (AM2302) through the kernel's driver.
//
// The sensor's one-wire protocol needs a timing of microseconds, which a program in user
// space cannot keep. The kernel's dht11 driver can, and supports the DHT22 too:
//
//	dtoverlay=dht11,gpiopin=4        # /boot/firmware/config.txt
//
// Datasheet: Aosong "AM2302"
// (https://cdn-shop.adafruit.com/datasheets/Digital+humidity+and+temperature+sensor+AM2302.pdf).
// Driver: drivers/iio/humidity/dht11.c.
//
// Pitfalls:
//   - one read in five to a hundred fails, with ETIMEDOUT or EIO. It is repeated two
//     seconds later, since the kernel's driver returns the same result for two seconds;
//   - the device's number depends on the order of loading, so the device is found by name;
//   - the kernel's driver guesses whether a sensor is a DHT11 or a DHT22. So an outlier is
//     accepted only if the next value confirms it;
//   - a sensor that does not answer for minutes often needs a power cycle.
package dht22

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config configures a sensor.
type Config struct {
	Name string `env:"NAME" envDefault:"dht11"` // prefix of the iio device's name: dht11, or dht11@4 if there are several
	Root string `env:"ROOT" envDefault:"/"`     // folder that contains the host's /sys

	FS    fs.FS        `env:"-"` // in place of Root
	Clock driver.Clock `env:"-"`
}

const (
	devices  = "sys/bus/iio/devices"
	attempts = 3
	pause    = 2100 * time.Millisecond // the kernel's driver keeps a sample for 2 s

	maxCelsius = 5.0 // a larger change between two samples is an outlier
	maxPercent = 20.0
)

// dev is a sensor.
type dev struct {
	fsys    fs.FS
	cfg     Config
	clock   driver.Clock
	counts  driver.Counts
	last    [2]float64 // °C and %
	hasLast bool       // last is valid
}

// newDev returns the sensor. It does no I/O.
func newDev(cfg Config) *dev {
	fsys := cfg.FS
	if fsys == nil {
		fsys = os.DirFS(cfg.Root)
	}
	if cfg.Name == "" {
		cfg.Name = "dht11"
	}
	return &dev{fsys: fsys, cfg: cfg, clock: driver.ClockOr(cfg.Clock)}
}

// Counts returns the driver's counts.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read reads a sample. If that fails, or the sample is an outlier that is not confirmed,
// it reads again after two seconds, up to three times in all.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	var outlier *[2]float64
	for try := 1; ; try++ {
		v, err := d.readValues()
		if err == nil && (!d.hasLast || similar(v, d.last) || outlier != nil && similar(v, *outlier)) {
			d.counts.Frames++
			d.last, d.hasLast = v, true
			return toSample(v), nil
		}
		if err == nil { // the next sample may confirm it: the air can change quickly
			outlier = &v
		}
		if try == attempts || errors.Is(err, fs.ErrNotExist) {
			return driver.Sample{}, fmt.Errorf("dht22: %w", d.explain(err, v))
		}
		d.counts.Retries++
		if err := d.clock.Wait(ctx, pause); err != nil {
			return driver.Sample{}, fmt.Errorf("dht22: %w", err)
		}
	}
}

// readValues reads the temperature in °C and the relative humidity in percent.
func (d *dev) readValues() (v [2]float64, err error) {
	dir, err := d.find()
	if err != nil {
		return v, err
	}
	for i, file := range []string{"in_temp_input", "in_humidityrelative_input"} {
		text, err := fs.ReadFile(d.fsys, path.Join(dir, file))
		if err != nil {
			if errors.Is(err, syscall.EIO) {
				d.counts.BadFrames++
			}
			return v, err
		}
		if v[i], err = parse(string(text)); err != nil {
			return v, fmt.Errorf("%s: %w", file, err)
		}
	}
	return v, nil
}

// parse parses a number of thousandths.
func parse(text string) (float64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%.20q is not a number", text)
	}
	return float64(n) / 1000, nil
}

// find returns the folder of the iio device, which it finds by name.
func (d *dev) find() (string, error) {
	entries, err := fs.ReadDir(d.fsys, devices)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		dir := path.Join(devices, e.Name())
		name, err := fs.ReadFile(d.fsys, path.Join(dir, "name"))
		if err == nil && strings.HasPrefix(strings.TrimSpace(string(name)), d.cfg.Name) {
			return dir, nil
		}
	}
	return "", fs.ErrNotExist
}

// similar reports whether two samples differ by no more than the outlier limits.
func similar(a, b [2]float64) bool {
	return math.Abs(a[0]-b[0]) <= maxCelsius && math.Abs(a[1]-b[1]) <= maxPercent
}

// explain adds the likely causes to an error; err is nil for an outlier v.
func (d *dev) explain(err error, v [2]float64) error {
	switch {
	case err == nil:
		return fmt.Errorf("%g degrees and %g %% differ too much from the last sample and are not confirmed", v[0], v[1])
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no iio device named %s: check the overlay dtoverlay=dht11,gpiopin=N: %w", d.cfg.Name, err)
	case errors.Is(err, syscall.ETIMEDOUT):
		return fmt.Errorf("no answer in %d attempts: check the data wire, its pull-up and the pin; cut the sensor's power: %w", attempts, err)
	case errors.Is(err, syscall.EIO):
		return fmt.Errorf("wrong checksum in %d attempts: check the wire's length and the pull-up: %w", attempts, err)
	}
	return err
}

// toSample makes a sample of the values and flags implausible ones.
func toSample(v [2]float64) driver.Sample {
	s := driver.New()
	s.Fields["temperature_celsius"], s.Fields["humidity_percent"] = v[0], v[1]
	if v[0] < -40 || v[0] > 80 {
		s.Flag(driver.Suspect, "%g degrees is outside of the sensor's range", v[0])
	}
	switch {
	case v[1] >= 99.9:
		s.Flag(driver.Suspect, "%g %% humidity: wet, or the sensor is broken", v[1])
	case v[1] <= 0:
		s.Flag(driver.Suspect, "%g %% humidity: the sensor is broken", v[1])
	}
	s.FlagOutOfRange()
	return s
}
