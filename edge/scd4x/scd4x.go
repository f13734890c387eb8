// Package scd4x reads the Sensirion SCD40 and SCD41: CO2, temperature and humidity, over
// I2C at address 0x62.
//
// Datasheet: "SCD4x", V1.3, 2023
// (https://sensirion.com/media/documents/48C4B7FB/64C134E7/Sensirion_SCD4x_Datasheet.pdf).
//
// Pitfalls that the datasheet does not stress, or describes wrongly:
//   - after a restart of this program the sensor still measures and refuses most
//     commands, so the first command must be "stop";
//   - reading the buffer empties it, and a read of an empty buffer is not acknowledged;
//   - the first value after the start is often wrong and is dropped;
//   - FFFF after a forced recalibration means that it failed; Linux' iio driver checks
//     for FF;
//   - the temperature offset has steps of 175/65535 K; older editions say 65536;
//   - automatic self-calibration takes the lowest value of a week as fresh air of
//     400 ppm, which today has about 425: ASC_TARGET.
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

// Config configures a sensor. For ASC "keep", and for ASCTarget 0, leave the sensor's
// own setting.
type Config struct {
	LowPower          bool    `env:"LOW_POWER" envDefault:"false"`      // a value every 30 s, not every 5 s
	TemperatureOffset float64 `env:"TEMPERATURE_OFFSET" envDefault:"4"` // K by which the sensor heats itself, 0 to 20
	Altitude          int     `env:"ALTITUDE" envDefault:"0"`           // m above sea level, to correct the CO2 value
	ASC               string  `env:"ASC" envDefault:"keep"`             // on, off or keep: automatic self-calibration
	ASCTarget         int     `env:"ASC_TARGET" envDefault:"0"`         // ppm of fresh air, 0 to keep

	// Pressure returns the air pressure at the sensor, if a barometer is near. It takes
	// precedence over Altitude.
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

	frcWarmUp = 3 * time.Minute // measuring time before a forced recalibration
	attempts  = 3
)

// dev is a sensor on a bus.
type dev struct {
	dev       *sensirion.Dev
	cfg       Config
	clock     driver.Clock
	measuring bool
	since     time.Time // start of the measuring
	fresh     bool      // the next value is the first after the start
	pressure  uint16    // hPa, last sent to the sensor
	failed    int       // failed reads in a row
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

// Counts returns the driver's counts.
func (d *dev) Counts() driver.Counts { return d.dev.Counts }

// Read waits for the next value: up to 5 s, or 30 s with LOW_POWER. The first Read
// configures the sensor.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s, err := d.read(ctx)
	switch {
	case err == nil:
		d.failed = 0
	case ctx.Err() == nil:
		// Only after three failures in a row is the sensor restarted.
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

// start stops the sensor, configures it and starts periodic measuring.
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

// stop stops periodic measuring. It retries after bootTime, as the sensor may be booting.
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

// settings returns the commands, with an argument each, that configure the sensor.
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

// compensate sends the air pressure to the sensor if it has changed, in whole hPa.
func (d *dev) compensate(ctx context.Context) error {
	if d.cfg.Pressure == nil {
		return nil
	}
	hPa, ok := d.cfg.Pressure()
	if !ok || hPa < 700 || hPa > 1200 {
		return nil // the sensor keeps the last value
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

// next waits for the next value and reads it, as raw words.
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
			d.measuring = false // it probably lost power and is idle
			return nil, errors.New("the sensor no longer measures: it may have lost power; it is configured again at the next read")
		}
		if err := d.clock.Wait(ctx, step); err != nil {
			return nil, err
		}
	}
}

// Recalibrate recalibrates the sensor to air of ppm CO2 (400 to 2000), and returns the
// correction in ppm. The sensor must have measured for three minutes in air that does not
// change. A wrong ppm makes all later values wrong.
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

// decode converts the raw words of a measurement.
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

// round rounds to thousandths: the sensor's resolution is 3 mK.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }
