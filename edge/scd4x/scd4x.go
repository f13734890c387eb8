// Package scd4x reads the Sensirion SCD40 and SCD41: CO2, temperature and
// humidity (I2C, address 0x62).
//
// Datasheet: "SCD4x", V1.3, 2023
// (https://sensirion.com/media/documents/48C4B7FB/64C134E7/Sensirion_SCD4x_Datasheet.pdf).
//
// What it does not stress, or says wrongly:
//   - after a restart of this program the sensor is still measuring and refuses
//     nearly everything: the first command must be "stop";
//   - the buffer is emptied by reading it, and reading it empty is not acknowledged;
//   - the first value after the start is often off and is dropped;
//   - FFFF after a forced recalibration means that it failed; Linux' iio driver
//     looks for FF;
//   - the temperature offset counts in 175/65535 K, older editions say 65536;
//   - automatic self-calibration takes the week's lowest value for fresh air at
//     400 ppm, which today is about 425: ASC_TARGET.
package scd4x

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sensirion"
)

// addr is the sensor's only address.
const addr = 0x62

// Config is how a sensor is used. "keep" and 0 leave the sensor's own setting.
type Config struct {
	LowPower          bool    `env:"LOW_POWER" envDefault:"false"`      // a value every 30 s, not every 5 s
	TemperatureOffset float64 `env:"TEMPERATURE_OFFSET" envDefault:"4"` // K that the sensor warms itself, 0 to 20
	Altitude          int     `env:"ALTITUDE" envDefault:"0"`           // m above the sea, for the CO2 value
	ASC               string  `env:"ASC" envDefault:"keep"`             // on, off or keep: automatic self-calibration
	ASCTarget         int     `env:"ASC_TARGET" envDefault:"0"`         // ppm of fresh air, 0 to keep

	// Pressure of the air at the sensor, where a barometer is near; it outweighs
	// Altitude.
	Pressure func() (hPa float64, ok bool) `env:"-"`
	Clock    driver.Clock                  `env:"-"`
}

// The datasheet's commands and execution times.
const (
	startPeriodic         = 0x21B1
	startLowPowerPeriodic = 0x21AC
	stopPeriodic          = 0x3F86
	getDataReady          = 0xE4B8
	readMeasurement       = 0xEC05
	setTemperatureOffset  = 0x241D
	setAltitude           = 0x2427
	setAmbientPressure    = 0xE000
	setASCEnabled         = 0x2416
	setASCTarget          = 0x243A
	forcedRecalibration   = 0x362F
	getSerialNumber       = 0x3682

	stopTime = 500 * time.Millisecond
	frcTime  = 400 * time.Millisecond
	execTime = time.Millisecond
	bootTime = time.Second // after power-up

	frcWarmUp = 3 * time.Minute // of measuring before a forced recalibration
	attempts  = 3
)

// dev is a sensor on a bus.
type dev struct {
	dev       *sensirion.Dev
	cfg       Config
	clock     driver.Clock
	measuring bool
	since     time.Time
	fresh     bool // the next value is the first after the start
	pressure  uint16
	failed    int // reads in a row
	serial    string
}

// newDev returns the sensor on bus. It does no I/O.
func newDev(bus i2c.Bus, cfg Config) (*dev, error) {
	if cfg.ASC != "" && cfg.ASC != "on" && cfg.ASC != "off" && cfg.ASC != "keep" {
		return nil, fmt.Errorf("scd4x: ASC is %q, not on, off or keep", cfg.ASC)
	}
	if cfg.TemperatureOffset < 0 || cfg.TemperatureOffset > 20 {
		return nil, fmt.Errorf("scd4x: TEMPERATURE_OFFSET is %g, not 0 to 20", cfg.TemperatureOffset)
	}
	if cfg.Altitude < 0 || cfg.Altitude > 3000 {
		return nil, fmt.Errorf("scd4x: ALTITUDE is %d, not 0 to 3000", cfg.Altitude)
	}
	clock := driver.ClockOr(cfg.Clock)
	return &dev{dev: sensirion.New(bus, addr, clock), cfg: cfg, clock: clock}, nil
}

// Counts tells what the bus has seen.
func (d *dev) Counts() driver.Counts { return d.dev.Counts }

// Read waits for the next value: up to 5 s, or 30 s with LOW_POWER. The first
// Read sets the sensor up.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s, err := d.read(ctx)
	switch {
	case err == nil:
		d.failed = 0
	case ctx.Err() == nil:
		// One bad answer is no reason to disturb the sensor, three are.
		if d.failed++; d.failed >= attempts {
			d.measuring, d.failed = false, 0
		}
	}
	if err != nil {
		return driver.Sample{}, fmt.Errorf("scd4x: %w", err)
	}
	return s, nil
}

func (d *dev) read(ctx context.Context) (driver.Sample, error) {
	if !d.measuring {
		if err := d.start(ctx); err != nil {
			return driver.Sample{}, err
		}
	}
	if err := d.compensate(ctx); err != nil {
		return driver.Sample{}, err
	}
	words, err := d.next(ctx)
	if err == nil && d.fresh {
		d.fresh = false
		words, err = d.next(ctx)
	}
	if err != nil {
		return driver.Sample{}, err
	}
	return decode(words), nil
}

// start stops what may be running, sets the sensor up and starts it.
func (d *dev) start(ctx context.Context) error {
	if err := d.stop(ctx); err != nil {
		return err
	}
	words, err := d.dev.Query(ctx, execTime, 3, getSerialNumber)
	if err != nil {
		return err
	}
	d.serial = fmt.Sprintf("%04x%04x%04x", words[0], words[1], words[2])
	for _, c := range d.settings() {
		if err := d.dev.Send(ctx, execTime, c[0], c[1]); err != nil {
			return err
		}
	}
	cmd := uint16(startPeriodic)
	if d.cfg.LowPower {
		cmd = startLowPowerPeriodic
	}
	if err := d.dev.Send(ctx, execTime, cmd); err != nil {
		return err
	}
	d.measuring, d.fresh, d.pressure, d.since = true, true, 0, d.clock.Now()
	return nil
}

// stop is tried again after the time that the sensor needs to boot.
func (d *dev) stop(ctx context.Context) error {
	d.measuring = false
	for try := 1; ; try++ {
		err := d.dev.Send(ctx, stopTime, stopPeriodic)
		if err == nil || try == attempts || ctx.Err() != nil {
			return err
		}
		d.dev.Counts.Retries++
		if err := d.clock.Wait(ctx, bootTime); err != nil {
			return err
		}
	}
}

func (d *dev) settings() (c [][2]uint16) {
	c = append(c,
		[2]uint16{setTemperatureOffset, uint16(math.Round(d.cfg.TemperatureOffset * 65535 / 175))},
		[2]uint16{setAltitude, uint16(d.cfg.Altitude)})
	switch d.cfg.ASC {
	case "on":
		c = append(c, [2]uint16{setASCEnabled, 1})
	case "off":
		c = append(c, [2]uint16{setASCEnabled, 0})
	}
	if d.cfg.ASCTarget > 0 {
		c = append(c, [2]uint16{setASCTarget, uint16(d.cfg.ASCTarget)})
	}
	return c
}

// compensate tells the sensor the air pressure when it has changed by 1 hPa.
func (d *dev) compensate(ctx context.Context) error {
	if d.cfg.Pressure == nil {
		return nil
	}
	hPa, ok := d.cfg.Pressure()
	if !ok || hPa < 700 || hPa > 1200 {
		return nil // keeps the last one
	}
	p := uint16(math.Round(hPa))
	if p == d.pressure {
		return nil
	}
	if err := d.dev.Send(ctx, execTime, setAmbientPressure, p); err != nil {
		return err
	}
	d.pressure = p
	return nil
}

// next waits for a value and reads it.
func (d *dev) next(ctx context.Context) ([]uint16, error) {
	period, step := 5*time.Second, 250*time.Millisecond
	if d.cfg.LowPower {
		period, step = 30*time.Second, time.Second
	}
	for deadline := d.clock.Now().Add(2*period + time.Second); ; {
		ready, err := d.dev.Query(ctx, execTime, 1, getDataReady)
		if err != nil {
			return nil, err
		}
		if ready[0]&0x07FF != 0 {
			return d.dev.Query(ctx, execTime, 3, readMeasurement)
		}
		if d.clock.Now().After(deadline) {
			d.measuring = false // it lost power and does nothing
			return nil, errors.New("the sensor no longer measures: it may have lost power, it is set up again at the next read")
		}
		if err := d.clock.Wait(ctx, step); err != nil {
			return nil, err
		}
	}
}

// Recalibrate tells the sensor that the air has ppm of CO2, and returns by how
// much it corrected itself. The sensor must have measured for three minutes in
// air that does not change. A wrong value spoils all that follows.
func (d *dev) Recalibrate(ctx context.Context, ppm int) (correction int, err error) {
	if ppm < 400 || ppm > 2000 {
		return 0, fmt.Errorf("scd4x: recalibrate to %d ppm: not within 400 to 2000", ppm)
	}
	if !d.measuring || d.clock.Now().Sub(d.since) < frcWarmUp {
		return 0, fmt.Errorf("scd4x: recalibrate: the sensor must have measured for %v", frcWarmUp)
	}
	if err := d.stop(ctx); err != nil {
		return 0, fmt.Errorf("scd4x: recalibrate: %w", err)
	}
	words, err := d.dev.Query(ctx, frcTime, 1, forcedRecalibration, uint16(ppm))
	if err != nil {
		return 0, fmt.Errorf("scd4x: recalibrate: %w", err)
	}
	if words[0] == 0xFFFF {
		return 0, errors.New("scd4x: recalibrate: the sensor reports that it failed")
	}
	return int(words[0]) - 0x8000, nil
}

func decode(words []uint16) driver.Sample {
	s := driver.New()
	s.Fields["co2_ppm"] = float64(words[0])
	s.Fields["temperature_celsius"] = round(-45 + 175*float64(words[1])/65535)
	s.Fields["humidity_percent"] = round(100 * float64(words[2]) / 65535)
	switch co2 := words[0]; {
	case co2 == 0:
		s.Flag(driver.Suspect, "0 ppm: the sensor has no CO2 value")
	case co2 < 400:
		s.Flag(driver.Suspect, "%d ppm is less than in fresh air: recalibrate", co2)
	}
	s.FlagOutOfRange()
	return s
}

// round keeps thousandths: the sensor's step is 3 mK.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }
