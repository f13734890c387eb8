// Package pms5003 reads the Plantower PMS5003 particulate sensor (UART 9600 8N1,
// supply 5 V, logic 3.3 V).
//
// Datasheet: "PMS5003 series data manual", V2.3, 2016
// (https://www.aqmd.gov/docs/default-source/aq-spec/resources-page/plantower-pms5003-manual_v2-3.pdf).
//
// Pitfalls that it does not describe well:
//   - the values "CF=1" are for factories; this driver uses the atmospheric values (data 4
//     to 6);
//   - values are valid only 30 s after waking;
//   - the sensor keeps its mode over a sleep but not over a power cut;
//   - the reply to a command is a frame of 8 bytes among the data;
//   - PMS5003T, S and ST look the same and use the fields differently. The ST is
//     recognised by its frame length. The T and S must not be configured as this kind.
package pms5003

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config configures a sensor.
type Config struct {
	DutyCycle bool          `env:"DUTY_CYCLE" envDefault:"true"` // sleep between readings
	WarmUp    time.Duration `env:"WARM_UP" envDefault:"30s"`     // from waking to valid values
	Samples   int           `env:"SAMPLES" envDefault:"5"`       // frames to average over

	// Humidity returns the relative humidity at the sensor, if another sensor near it
	// measures it.
	Humidity func() (percent float64, ok bool) `env:"-"`
	Clock    driver.Clock                      `env:"-"`
}

const (
	replyPatience = 2 * time.Second
	dataPatience  = 5 * time.Second // a frame comes every 0.2 to 2.3 s
	tries         = 3
)

// dev is a sensor on a serial line.
type dev struct {
	line      *driver.Line
	cfg       Config
	clock     driver.Clock
	awake     bool
	noReplies bool // the sensor does not answer commands: perhaps only its TX pin is wired
	woke      time.Time
}

// newDev returns the sensor behind rw: a port at 9600 8N1 with a read timeout.
func newDev(rw io.ReadWriter, cfg Config) *dev {
	cfg.Samples = max(cfg.Samples, 1)
	clock := driver.ClockOr(cfg.Clock)
	return &dev{line: driver.NewLine(rw, clock), cfg: cfg, clock: clock}
}

// Counts returns the line's counts.
func (d *dev) Counts() driver.Counts { return d.line.Counts() }

// Read wakes the sensor, waits for WARM_UP, averages SAMPLES frames and lets the sensor
// sleep again. Without a duty cycle it only averages, and values within WARM_UP after the
// start are marked as warming up. A sensor with only its TX pin wired is also read, but
// cannot sleep.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s, err := d.measure(ctx)
	if d.cfg.DutyCycle && !d.noReplies {
		// The fan must stop even if the measurement failed or was cancelled.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*tries*replyPatience)
		defer cancel()
		d.awake = false
		if serr := d.command(ctx, cmdSleep, 0); serr != nil && err == nil {
			s.Flag(driver.Suspect, "the sensor did not confirm the sleep command, its fan may still run: check the wire to its RX pin")
		}
	}
	if err != nil {
		return driver.Sample{}, fmt.Errorf("pms5003: %w", err)
	}
	return s, nil
}

// measure wakes the sensor, averages and sets the quality.
func (d *dev) measure(ctx context.Context) (driver.Sample, error) {
	if err := d.wake(ctx); err != nil {
		return driver.Sample{}, err
	}
	if err := d.line.Discard(); err != nil {
		return driver.Sample{}, err
	}
	s, err := d.average(ctx)
	if err != nil {
		return driver.Sample{}, err
	}
	if left := d.cfg.WarmUp - d.clock.Now().Sub(d.woke); left > 0 {
		s.Flag(driver.WarmingUp, "woke less than %v ago", d.cfg.WarmUp)
	}
	if d.cfg.Humidity != nil {
		if rh, ok := d.cfg.Humidity(); ok && rh > 75 {
			s.Flag(driver.Suspect, "at %.0f %% humidity droplets count as dust", rh)
		}
	}
	return s, nil
}

// wake starts the fan. Not every firmware answers the wake command, but all answer the
// command that sets the active mode.
func (d *dev) wake(ctx context.Context) error {
	if d.awake {
		return nil
	}
	if err := d.line.Write(command(cmdWake, 1)); err != nil {
		return err
	}
	err := d.command(ctx, cmdMode, modeActive)
	if err != nil && !errors.Is(err, driver.ErrNoAnswer) {
		return err
	}
	d.noReplies = err != nil
	if d.woke.IsZero() || !d.noReplies { // without commands it never slept
		d.woke = d.clock.Now()
	}
	d.awake = true
	if d.cfg.DutyCycle {
		return d.clock.Wait(ctx, d.cfg.WarmUp-d.clock.Now().Sub(d.woke))
	}
	return nil
}

// command sends a command, up to three times, until the sensor confirms it.
func (d *dev) command(ctx context.Context, cmd, value byte) error {
	for try := range tries {
		if try > 0 {
			d.line.CountRetry()
		}
		if err := d.line.Write(command(cmd, value)); err != nil {
			return err
		}
		err := d.reply(ctx, cmd)
		if err == nil || !errors.Is(err, driver.ErrNoAnswer) {
			return err
		}
	}
	return driver.ErrNoAnswer
}

// reply waits for the reply to a command.
func (d *dev) reply(ctx context.Context, cmd byte) error {
	deadline := d.clock.Now().Add(replyPatience)
	for {
		f, err := d.line.Next(ctx, deadline.Sub(d.clock.Now()), match)
		if err != nil {
			return err
		}
		if len(f) == replyLen && f[4] == cmd {
			return nil
		}
	}
}

// average returns the mean of the next SAMPLES data frames.
func (d *dev) average(ctx context.Context) (driver.Sample, error) {
	s, code := driver.New(), byte(0)
	for n := 0; n < d.cfg.Samples; {
		f, err := d.line.Next(ctx, dataPatience, match)
		if errors.Is(err, driver.ErrNoAnswer) {
			return s, fmt.Errorf("%w: check power (5 V), the wire from the sensor's TX pin, that its SET pin is not low, and the port", err)
		}
		if err != nil {
			return s, err
		}
		if len(f) == stLen {
			return s, errors.New("the sensor is a PMS5003ST, which this kind does not support")
		}
		if len(f) != dataLen {
			continue
		}
		for k, v := range decode(f) {
			s.Fields[k] += v
		}
		code |= f[29]
		n++
	}
	for k := range s.Fields {
		s.Fields[k] = math.Round(s.Fields[k]/float64(d.cfg.Samples)*10) / 10
	}
	flagImplausible(&s, code)
	return s, nil
}

// flagImplausible sets the quality of a sample; code is the sensor's error code.
func flagImplausible(s *driver.Sample, code byte) {
	if code != 0 {
		s.Flag(driver.Suspect, "the sensor reports error code %#02x", code)
	}
	if s.Fields["pm10_ugm3"] < s.Fields["pm2_5_ugm3"] {
		s.Flag(driver.Suspect, "pm10 is below pm2.5")
	}
	if s.Fields["particles_0_3um_per_dl"] == 0 {
		s.Flag(driver.Suspect, "no particle is counted, the fan may have stopped")
	}
	s.FlagOutOfRange()
}
