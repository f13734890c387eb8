// Package dht22 reads a DHT22 (AM2302) through the kernel's driver.
//
// The sensor's one-wire protocol needs microseconds that no program in user
// space can keep; the kernel's dht11 driver does, and handles the DHT22 too:
//
//	dtoverlay=dht11,gpiopin=4        # /boot/firmware/config.txt
//
// Datasheet: Aosong "AM2302"
// (https://cdn-shop.adafruit.com/datasheets/Digital+humidity+and+temperature+sensor+AM2302.pdf).
// Driver: drivers/iio/humidity/dht11.c.
//
// What one stumbles over:
//   - one read in five to a hundred fails, with ETIMEDOUT or EIO, and is
//     repeated two seconds later; within two seconds the driver repeats itself;
//   - the device's number changes with the order of loading: it is found by name;
//   - the driver guesses between DHT11 and DHT22, so a wild value is dropped
//     once before it is believed;
//   - a sensor that is silent for minutes often needs its power cut.
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

// Config says which sensor it is.
type Config struct {
	Name string `env:"NAME" envDefault:"dht11"` // how the iio device's name begins: dht11, or dht11@4 where there are several
	Root string `env:"ROOT" envDefault:"/"`     // where the host's /sys is

	FS    fs.FS        `env:"-"` // in place of Root
	Clock driver.Clock `env:"-"`
}

const (
	devices  = "sys/bus/iio/devices"
	attempts = 3
	pause    = 2100 * time.Millisecond // the driver keeps a sample for 2 s

	maxCelsius = 5.0 // more than this between two samples is dropped once
	maxPercent = 20.0
)

// dev is a sensor.
type dev struct {
	fsys    fs.FS
	cfg     Config
	clock   driver.Clock
	counts  driver.Counts
	last    [2]float64
	hasLast bool // last is set
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

// Counts tells what the driver has seen.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read reads a sample; where that fails, up to three times, two seconds apart.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	var wild *[2]float64
	for try := 1; ; try++ {
		v, err := d.readValues()
		if err == nil && (!d.hasLast || similar(v, d.last) || wild != nil && similar(v, *wild)) {
			d.counts.Frames++
			d.last, d.hasLast = v, true
			return toSample(v), nil
		}
		if err == nil { // two wild samples that agree are the truth: someone opened the window
			wild = &v
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

// sample is the temperature and the humidity.
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

// parse reads thousandths.
func parse(text string) (float64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%.20q is no number", text)
	}
	return float64(n) / 1000, nil
}

// find looks for the device by its name.
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

func similar(a, b [2]float64) bool {
	return math.Abs(a[0]-b[0]) <= maxCelsius && math.Abs(a[1]-b[1]) <= maxPercent
}

func (d *dev) explain(err error, v [2]float64) error {
	switch {
	case err == nil:
		return fmt.Errorf("%g degrees and %g %% differ too much from the last sample and were not confirmed", v[0], v[1])
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no iio device named %s: check the overlay dtoverlay=dht11,gpiopin=N: %w", d.cfg.Name, err)
	case errors.Is(err, syscall.ETIMEDOUT):
		return fmt.Errorf("%d times no answer: check the data wire, its pull-up and the pin; cut the sensor's power: %w", attempts, err)
	case errors.Is(err, syscall.EIO):
		return fmt.Errorf("%d times a wrong checksum: check the wire's length and the pull-up: %w", attempts, err)
	}
	return err
}

func toSample(v [2]float64) driver.Sample {
	s := driver.New()
	s.Fields["temperature_celsius"], s.Fields["humidity_percent"] = v[0], v[1]
	if v[0] < -40 || v[0] > 80 {
		s.Flag(driver.Suspect, "%g degrees is outside of what the sensor can measure", v[0])
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
