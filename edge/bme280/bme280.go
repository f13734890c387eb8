// Package bme280 reads the Bosch BME280 (temperature, humidity, air pressure) over I2C,
// at address 0x76, or 0x77 with SDO high. It also reads the BMP280, which has no humidity
// and is often sold as a BME280.
//
// Datasheet: BST-BME280-DS002, revision 1.23, 2022
// (https://www.bosch-sensortec.com/media/boschsensortec/downloads/datasheets/bst-bme280-ds002.pdf).
// The settings are those of section 3.5.1 "weather monitoring": one forced measurement
// a Read, no oversampling, no filter.
//
// Pitfalls:
//   - a new humidity setting (F2) takes effect only after F4 is written;
//   - H4 and H5 share a byte and are signed;
//   - a raw value of 80000 (8000 for humidity) means that the quantity was not measured;
//   - next to a warm board the temperature is 1 to 2 K too high: TEMPERATURE_OFFSET.
package bme280

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config configures a sensor.
type Config struct {
	Address           driver.Address `env:"ADDRESS" envDefault:"0x76"`
	TemperatureOffset float64        `env:"TEMPERATURE_OFFSET" envDefault:"0"` // K, subtracted from the temperature
	Altitude          float64        `env:"ALTITUDE" envDefault:"0"`           // m above sea level; not 0: also report the pressure at sea level

	Clock driver.Clock `env:"-"`
}

// The datasheet's registers.
const (
	regCalib00  = 0x88 // 24 bytes of T1 to P9; A1 is H1
	regCalib25  = 0xA1
	regID       = 0xD0
	regCalib26  = 0xE1 // 7 bytes of H2 to H6
	regCtrlHum  = 0xF2
	regStatus   = 0xF3
	regCtrlMeas = 0xF4
	regData     = 0xF7

	idBME280 = 0x60
	idBMP280 = 0x58

	oversample1 = 0x01 // in F2
	forcedx1x1  = 0x25 // in F4: temperature x1, pressure x1, forced mode
	measuring   = 0x08 // in F3

	measureTime = 9300 * time.Microsecond // the maximum with oversampling x1, x1, x1
	patience    = 100 * time.Millisecond
	tries       = 2 // 80000 can also be a measured value; then the next one differs
)

var errNotMeasured = errors.New("bme280: the sensor did not measure: check its power")

// dev is a sensor on a bus.
type dev struct {
	dev    i2c.Dev
	cfg    Config
	clock  driver.Clock
	calib  *calibration
	humid  bool
	counts driver.Counts
}

// newDev returns the sensor on bus. It does no I/O.
func newDev(bus i2c.Bus, cfg Config) *dev {
	if cfg.Address == 0 {
		cfg.Address = 0x76
	}
	return &dev{
		dev: i2c.Dev{Bus: bus, Addr: uint16(cfg.Address)},
		cfg: cfg, clock: driver.ClockOr(cfg.Clock),
	}
}

// Counts returns the driver's counts.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read measures once, in about 10 ms.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	for range tries {
		raw, err := d.measure(ctx)
		if err != nil {
			return driver.Sample{}, fmt.Errorf("bme280: %w", err)
		}
		d.counts.Frames++
		if v := d.calib.compensate(raw); v.hasTemp {
			return d.sample(v), nil
		}
	}
	return driver.Sample{}, errNotMeasured
}

// measure starts a measurement, waits for its end and returns the raw registers.
func (d *dev) measure(ctx context.Context) (raw []byte, err error) {
	if d.calib == nil {
		if err := d.identify(); err != nil {
			return nil, err
		}
	}
	if d.humid {
		if err := d.write(regCtrlHum, oversample1); err != nil {
			return nil, err
		}
	}
	if err := d.write(regCtrlMeas, forcedx1x1); err != nil {
		return nil, err
	}
	if err := d.clock.Wait(ctx, measureTime); err != nil {
		return nil, err
	}
	for deadline := d.clock.Now().Add(patience); ; {
		status, err := d.read(regStatus, 1)
		if err != nil {
			return nil, err
		}
		if status[0]&measuring == 0 {
			return d.read(regData, 8)
		}
		if d.clock.Now().After(deadline) {
			d.calib = nil
			return nil, errors.New("the sensor does not finish measuring: check wiring and pull-ups")
		}
		if err := d.clock.Wait(ctx, time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// identify reads which chip it is, and its calibration.
func (d *dev) identify() error {
	id, err := d.read(regID, 1)
	if err != nil {
		return err
	}
	if id[0] != idBME280 && id[0] != idBMP280 {
		return fmt.Errorf("the chip at %v has the id %#02x, neither a BME280 (0x60) nor a BMP280 (0x58): check the address", d.cfg.Address, id[0])
	}
	humid := id[0] == idBME280
	tp, err := d.read(regCalib00, 24)
	if err != nil {
		return err
	}
	var h1, h []byte
	if humid {
		if h1, err = d.read(regCalib25, 1); err != nil {
			return err
		}
		if h, err = d.read(regCalib26, 7); err != nil {
			return err
		}
	}
	c, err := parseCalibration(tp, h1, h)
	if err != nil {
		return err
	}
	d.calib, d.humid = &c, humid
	return nil
}

// sample makes a sample of a measurement and flags implausible values.
func (d *dev) sample(v values) driver.Sample {
	s := driver.New()
	s.Fields["temperature_celsius"] = round(v.temp-d.cfg.TemperatureOffset, 3)
	if v.hasPressure {
		s.Fields["pressure_hpa"] = round(v.pressure, 2)
		if h := d.cfg.Altitude; h != 0 {
			s.Fields["sea_level_pressure_hpa"] = round(seaLevel(v.pressure, v.temp, h), 2)
		}
	}
	if d.humid && v.hasHumidity {
		s.Fields["humidity_percent"] = round(v.humidity, 2)
		switch {
		case v.humidity >= 99.9:
			s.Flag(driver.Suspect, "100 %% humidity: wet, or the sensor is broken")
		case v.humidity <= 0:
			s.Flag(driver.Suspect, "0 %% humidity: the bus returned zeros, or the sensor is broken")
		}
	}
	if t := v.temp; t < -40 || t > 85 {
		s.Flag(driver.Suspect, "%.1f degrees is outside of the sensor's range: check the wiring", t)
		d.calib = nil // perhaps misread; the next Read reads it again
	}
	s.FlagOutOfRange()
	return s
}

func (d *dev) write(reg, value byte) error { return d.explain(d.dev.Tx([]byte{reg, value}, nil)) }

func (d *dev) read(reg byte, n int) ([]byte, error) {
	b := make([]byte, n)
	return b, d.explain(d.dev.Tx([]byte{reg}, b))
}

// explain adds the likely causes to an error of the bus.
func (d *dev) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("no acknowledgement from address %v: check wiring, power, and whether it is 0x76 or 0x77: %w", d.cfg.Address, err)
}

// seaLevel converts a pressure at an altitude (m) and temperature (°C) to the pressure
// at sea level.
func seaLevel(hPa, temp, altitude float64) float64 {
	const lapse = 0.0065 // K/m
	return hPa * math.Pow(1-lapse*altitude/(temp+lapse*altitude+273.15), -5.257)
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}
