// Package mhz19b reads the Winsen MH-Z19B CO2 sensor (UART 9600 8N1, supply 5 V,
// logic 3.3 V).
//
// Datasheet: "MH-Z19B user's manual", V1.0, 2016
// (https://www.winsen-sensor.com/d/files/infrared-gas-sensor/mh-z19b-co2-ver1_0.pdf).
//
// Pitfalls that it does not describe, or describes wrongly:
//   - while the sensor warms up (3 min) it returns 400 or 410, then the end of its range.
//     Nothing in the frame distinguishes these from real values, and the time of
//     power-up is unknown. So readings are marked as warming up for three minutes after
//     the start, and after that until three readings in a row are plausible;
//   - the range is set by bytes 6 and 7, not 3 and 4;
//   - most firmwares do not answer settings;
//   - byte 4 is the temperature inside the case, wrong by degrees: it is not used;
//   - ABC (automatic baseline correction) takes the lowest value of each day as 400 ppm.
//     In a room that is never aired it must be off, or the values drop from week to week.
package mhz19b

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config configures a sensor. For ABC "keep", and for Range 0, leave the sensor's own
// setting.
type Config struct {
	ABC    string        `env:"ABC" envDefault:"keep"`     // on, off or keep: automatic baseline correction
	Range  int           `env:"RANGE" envDefault:"0"`      // 2000, 5000 or 0: ppm at the end of the range
	WarmUp time.Duration `env:"WARM_UP" envDefault:"180s"` // from power-up to valid values

	Clock driver.Clock `env:"-"`
}

const (
	replyPatience  = 2 * time.Second
	tries          = 3
	steadyReadings = 3    // plausible readings in a row that end the warm-up
	jumpPPM        = 1000 // a larger change within jumpTime is suspect
	jumpTime       = 10 * time.Second
)

// dev is a sensor on a serial line.
type dev struct {
	line       *driver.Line
	cfg        Config
	clock      driver.Clock
	start      time.Time
	configured bool
	plausible  int // plausible readings in a row
	lastPPM    float64
	lastAt     time.Time
}

// newDev returns the sensor behind rw: a port at 9600 8N1 with a read timeout.
func newDev(rw io.ReadWriter, cfg Config) (*dev, error) {
	if cfg.Range != 0 && cfg.Range != 2000 && cfg.Range != 5000 {
		return nil, fmt.Errorf("mhz19b: RANGE is %d, not 2000, 5000 or 0 to leave it", cfg.Range)
	}
	if cfg.ABC != "on" && cfg.ABC != "off" && cfg.ABC != "keep" && cfg.ABC != "" {
		return nil, fmt.Errorf("mhz19b: ABC is %q, not on, off or keep", cfg.ABC)
	}
	clock := driver.ClockOr(cfg.Clock)
	return &dev{line: driver.NewLine(rw, clock), cfg: cfg, clock: clock, start: clock.Now()}, nil
}

// Counts returns the line's counts.
func (d *dev) Counts() driver.Counts { return d.line.Counts() }

// Read queries the CO2 content once. The sensor updates it every five seconds.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	if err := d.configure(); err != nil {
		return driver.Sample{}, fmt.Errorf("mhz19b: %w", err)
	}
	ppm, err := d.query(ctx)
	if err != nil {
		return driver.Sample{}, fmt.Errorf("mhz19b: %w", err)
	}
	return d.toSample(ppm), nil
}

// configure sends the settings once. The sensor does not answer them. A missing sensor
// is noticed by query.
func (d *dev) configure() error {
	if d.configured {
		return nil
	}
	var commands [][]byte
	switch d.cfg.ABC {
	case "on":
		commands = append(commands, command(cmdABC, 0xA0, 0, 0, 0, 0))
	case "off":
		commands = append(commands, command(cmdABC, 0, 0, 0, 0, 0))
	}
	if r := d.cfg.Range; r != 0 {
		commands = append(commands, command(cmdRange, 0, 0, 0, byte(r>>8), byte(r)))
	}
	for _, c := range commands {
		if err := d.line.Write(c); err != nil {
			return err
		}
	}
	d.configured = true
	return nil
}

// query queries the CO2 content in ppm, up to three times.
func (d *dev) query(ctx context.Context) (float64, error) {
	for try := range tries {
		if try > 0 {
			d.line.CountRetry()
		}
		if err := d.line.Discard(); err != nil {
			return 0, err
		}
		if err := d.line.Write(command(cmdRead, 0, 0, 0, 0, 0)); err != nil {
			return 0, err
		}
		f, err := d.line.Next(ctx, replyPatience, match)
		if err == nil {
			return decode(f), nil
		}
		if !errors.Is(err, driver.ErrNoAnswer) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w: check power (5 V), both wires (sensor's TX to the port's RX and the reverse), and the port", driver.ErrNoAnswer)
}

// toSample makes a sample of a CO2 content and sets its quality.
func (d *dev) toSample(ppm float64) driver.Sample {
	now, s := d.clock.Now(), driver.New()
	s.Fields["co2_ppm"] = ppm
	warmUpValue := ppm == 400 || ppm == 410 || d.atRangeEnd(ppm)
	warming := now.Sub(d.start) < d.cfg.WarmUp || d.plausible < steadyReadings
	switch {
	case warming && warmUpValue:
		d.plausible = 0
		s.Flag(driver.WarmingUp, "the sensor returns %g ppm while it warms up", ppm)
	case warming:
		d.plausible++
		s.Flag(driver.WarmingUp, "within %v of the start, or not yet steady", d.cfg.WarmUp)
	case d.atRangeEnd(ppm):
		s.Flag(driver.Suspect, "%g ppm is the end of the range", ppm)
	case ppm < 400:
		s.Flag(driver.Suspect, "%g ppm is less than in fresh air: the baseline has drifted", ppm)
	}
	if jump := math.Abs(ppm - d.lastPPM); !d.lastAt.IsZero() && jump > jumpPPM && now.Sub(d.lastAt) <= jumpTime {
		s.Flag(driver.Suspect, "a change of %g ppm within %v", jump, now.Sub(d.lastAt).Round(time.Second))
	}
	d.lastPPM, d.lastAt = ppm, now
	s.FlagOutOfRange()
	return s
}

// atRangeEnd reports whether ppm is the end of the range. If RANGE is not set, the range
// may be either.
func (d *dev) atRangeEnd(ppm float64) bool {
	if d.cfg.Range != 0 {
		return ppm >= float64(d.cfg.Range)
	}
	return ppm == 2000 || ppm >= 5000
}
