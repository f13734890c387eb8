// Package soil reads a capacitive soil moisture probe through a Texas
// Instruments ADS1115 (I2C, address 0x48 to 0x4B).
//
// Datasheet: SBAS444E, "ADS111x", 2024 (https://www.ti.com/lit/ds/symlink/ads1115.pdf).
// The probes ("v1.2", "v2.0") have none. Their voltage falls as the soil gets
// wetter, not in proportion, and differs from probe to probe: calibrate each by
// its voltage in air (DRY) and in water (WET). Supply them with 3.3 V: the
// converter bears no input above its own supply, and the voltage follows theirs.
//
// An open input floats at about half a volt, which a calibrated probe shows as
// out of its range.
package soil

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config is how a probe is used. Without DRY and WET only its voltage is
// reported.
type Config struct {
	Address driver.Address `env:"ADDRESS" envDefault:"0x48"`
	Channel int            `env:"CHANNEL" envDefault:"0"` // input A0 to A3
	Dry     float64        `env:"DRY" envDefault:"0"`     // V in air, about 2.7
	Wet     float64        `env:"WET" envDefault:"0"`     // V in water, about 1.3
	Samples int            `env:"SAMPLES" envDefault:"9"` // conversions to take the median of

	Clock driver.Clock `env:"-"`
}

// The datasheet's registers and bits.
const (
	regConversion = 0
	regConfig     = 1

	start       = 0x8000 // writing: start a conversion; reading: none is running
	againstGND  = 0x4000 // AIN0 against GND; the channel is added at bit 12
	gain4096mV  = 0x0200
	singleShot  = 0x0100
	rate128SPS  = 0x0080
	noCompare   = 0x0003
	step        = 4.096 / 32768 // V, 125 µV
	convertTime = 9 * time.Millisecond
	polls       = 100 // a millisecond apart, for a conversion to end

	tolerance = 0.15 // beyond the calibration, of its span
	noise     = 0.2  // V between conversions
	attempts  = 6
)

var errInUse = errors.New("something else answers there, or uses the converter")

// dev is a probe on a converter.
type dev struct {
	dev    i2c.Dev
	cfg    Config
	clock  driver.Clock
	counts driver.Counts
}

// newDev returns the probe on bus. It does no I/O.
func newDev(bus i2c.Bus, cfg Config) (*dev, error) {
	if cfg.Address == 0 {
		cfg.Address = 0x48
	}
	if cfg.Channel < 0 || cfg.Channel > 3 {
		return nil, fmt.Errorf("soil: CHANNEL is %d, not 0 to 3", cfg.Channel)
	}
	if calibrated := cfg.Dry != 0 || cfg.Wet != 0; calibrated && (cfg.Wet <= 0 || cfg.Dry-cfg.Wet < 0.2) {
		return nil, fmt.Errorf("soil: DRY is %g V and WET %g V: the dry voltage must be higher, by 0.2 V at least", cfg.Dry, cfg.Wet)
	}
	cfg.Samples = max(cfg.Samples, 1)
	return &dev{
		dev: i2c.Dev{Bus: bus, Addr: uint16(cfg.Address)},
		cfg: cfg, clock: driver.ClockOr(cfg.Clock),
	}, nil
}

// Counts tells what the bus has seen.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read converts SAMPLES times, 10 ms each, and returns the median voltage and
// the moisture.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	volts := make([]float64, 0, d.cfg.Samples)
	for range d.cfg.Samples {
		raw, err := d.convertWithRetry(ctx)
		if err != nil {
			return driver.Sample{}, fmt.Errorf("soil: %w", err)
		}
		volts = append(volts, float64(raw)*step)
	}
	d.counts.Frames++
	return d.toSample(volts), nil
}

// turn converts once, and again where the sensor at another channel got in
// between. Each channel waits a time of its own, so that they come apart.
func (d *dev) convertWithRetry(ctx context.Context) (int16, error) {
	for try := 1; ; try++ {
		raw, err := d.convert(ctx)
		if !errors.Is(err, errInUse) || try == attempts {
			return raw, err
		}
		d.counts.Retries++
		if err := d.clock.Wait(ctx, time.Duration(try*(2*d.cfg.Channel+1))*convertTime); err != nil {
			return 0, err
		}
	}
}

func (d *dev) convert(ctx context.Context) (int16, error) {
	w := []byte{regConfig, 0, 0}
	binary.BigEndian.PutUint16(w[1:], start|againstGND|uint16(d.cfg.Channel)<<12|gain4096mV|singleShot|rate128SPS|noCompare)
	if err := d.dev.Tx(w, nil); err != nil {
		return 0, d.explain(err)
	}
	if err := d.clock.Wait(ctx, convertTime); err != nil {
		return 0, err
	}
	for poll := 1; ; poll++ {
		config, err := d.read(regConfig)
		if err != nil {
			return 0, err
		}
		if config&start != 0 {
			if config|start != binary.BigEndian.Uint16(w[1:]) {
				return 0, fmt.Errorf("the settings at %v read as %04X: %w", d.cfg.Address, config, errInUse)
			}
			v, err := d.read(regConversion)
			return int16(v), err
		}
		if poll == polls {
			return 0, errors.New("the converter does not finish: check its power")
		}
		if err := d.clock.Wait(ctx, time.Millisecond); err != nil {
			return 0, err
		}
	}
}

func (d *dev) read(reg byte) (uint16, error) {
	b := make([]byte, 2)
	err := d.dev.Tx([]byte{reg}, b)
	return binary.BigEndian.Uint16(b), d.explain(err)
}

func (d *dev) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("no acknowledgement from address %v: check wiring, power, and the ADDR pin: %w", d.cfg.Address, err)
}

func (d *dev) toSample(volts []float64) driver.Sample {
	slices.Sort(volts)
	v := volts[len(volts)/2]
	s := driver.New()
	s.Fields["voltage_volts"] = math.Round(v*1e4) / 1e4
	if spread := volts[len(volts)-1] - volts[0]; spread > noise {
		s.Flag(driver.Suspect, "the voltage moves by %.2f V: check the probe's wire", spread)
	}
	if v >= 4.09 {
		s.Flag(driver.Suspect, "the input is at the end of its range: the probe is unplugged or gets more than 3.3 V")
	}
	if v < 0 {
		s.Flag(driver.Suspect, "the voltage is negative: check the probe's ground")
	}
	if d.cfg.Dry == 0 {
		return s
	}
	share := (d.cfg.Dry - v) / (d.cfg.Dry - d.cfg.Wet)
	s.Fields["moisture_percent"] = math.Round(min(max(share, 0), 1)*1000) / 10
	if share < -tolerance || share > 1+tolerance {
		s.Flag(driver.Suspect, "%.2f V is outside of the calibration: the probe may be unplugged", v)
	}
	return s
}
