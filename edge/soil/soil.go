// Package soil reads a capacitive soil moisture probe through an analog-digital converter,
// the Texas Instruments ADS1115 (I2C, address 0x48 to 0x4B).
//
// Datasheet: SBAS444E, "ADS111x", 2024 (https://www.ti.com/lit/ds/symlink/ads1115.pdf).
// The probes ("v1.2", "v2.0") have no datasheet. Their voltage falls as the soil gets
// wetter, but not linearly, and it differs from probe to probe. Calibrate each probe by
// its voltage in air (DRY) and in water (WET). Supply probes with 3.3 V: their voltage
// depends on their supply, and the converter tolerates no input above its own supply.
//
// An open input floats at about half a volt, which is outside a probe's calibration.
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

// Config configures a probe. Without DRY and WET only its voltage is reported.
type Config struct {
	Address driver.Address `env:"ADDRESS" envDefault:"0x48"`
	Channel int            `env:"CHANNEL" envDefault:"0"` // input A0 to A3
	Dry     float64        `env:"DRY" envDefault:"0"`     // V in air, about 2.7
	Wet     float64        `env:"WET" envDefault:"0"`     // V in water, about 1.3
	Samples int            `env:"SAMPLES" envDefault:"9"` // the median of so many conversions is reported

	Clock driver.Clock `env:"-"`
}

// The datasheet's registers and bits.
const (
	regConversion = 0
	regConfig     = 1

	start       = 0x8000 // written: start a conversion; read: no conversion is running
	againstGND  = 0x4000 // AIN0 against GND; the channel is added at bit 12
	gain4096mV  = 0x0200
	singleShot  = 0x0100
	rate128SPS  = 0x0080
	noCompare   = 0x0003
	step        = 4.096 / 32768 // V, 125 µV
	convertTime = 9 * time.Millisecond
	polls       = 100 // a millisecond apart, for a conversion to end

	tolerance = 0.15 // outside the calibration, as a share of its span
	noise     = 0.2  // V between the conversions of a reading
	attempts  = 6
)

var errInUse = errors.New("another chip answers, or another program uses the converter")

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
		return nil, fmt.Errorf("soil: DRY is %g V and WET %g V: DRY must be at least 0.2 V higher", cfg.Dry, cfg.Wet)
	}
	cfg.Samples = max(cfg.Samples, 1)
	return &dev{
		dev: i2c.Dev{Bus: bus, Addr: uint16(cfg.Address)},
		cfg: cfg, clock: driver.ClockOr(cfg.Clock),
	}, nil
}

// Counts returns the driver's counts.
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

// convertWithRetry converts once. It retries if the sensor at another channel used the
// converter meanwhile. Each channel waits for a different time, so that they do not
// collide again.
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

// convert starts a conversion, waits for its end and returns the raw value.
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
				return 0, fmt.Errorf("the configuration at %v is %04X: %w", d.cfg.Address, config, errInUse)
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

// explain adds the likely causes to an error of the bus.
func (d *dev) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("no acknowledgement from address %v: check wiring, power, and the ADDR pin: %w", d.cfg.Address, err)
}

// toSample makes a sample of the voltages and flags implausible values.
func (d *dev) toSample(volts []float64) driver.Sample {
	slices.Sort(volts)
	v := volts[len(volts)/2]
	s := driver.New()
	s.Fields["voltage_volts"] = math.Round(v*1e4) / 1e4
	if spread := volts[len(volts)-1] - volts[0]; spread > noise {
		s.Flag(driver.Suspect, "the voltage varies by %.2f V: check the probe's wire", spread)
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
