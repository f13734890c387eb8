// Package sds011 reads the Nova SDS011 particulate sensor (UART 9600 8N1, 5 V).
//
// Datasheets: "Laser PM2.5 Sensor specification, SDS011", V1.3, 2015, and
// "Laser Dust Sensor Control Protocol", V1.3, 2015-07-20
// (https://cdn-reichelt.de/documents/datenblatt/X200/SDS011-DATASHEET.pdf).
//
// Pitfalls that they do not describe:
//   - the checksum of a command covers its 15 data bytes only;
//   - every setting survives a power cut, so a sensor that was used elsewhere may be
//     silent (query mode) or asleep for minutes (working period);
//   - a sleep command is sometimes lost and the fan keeps running, so the driver waits
//     for the reply and repeats the command;
//   - after waking, both values are 0.0 until the first particles are counted;
//   - above 70 % relative humidity droplets are counted as dust.
//
// The laser's lifetime is 8000 hours. With DUTY_CYCLE it is on for half a minute a Read.
package sds011

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config configures a sensor.
type Config struct {
	DutyCycle bool          `env:"DUTY_CYCLE" envDefault:"true"` // sleep between readings
	WarmUp    time.Duration `env:"WARM_UP" envDefault:"30s"`     // from waking to valid values
	Samples   int           `env:"SAMPLES" envDefault:"5"`       // seconds to average over

	// Humidity returns the relative humidity at the sensor, if another sensor near it
	// measures it.
	Humidity func() (percent float64, ok bool) `env:"-"`
	Clock    driver.Clock                      `env:"-"`
}

const (
	replyPatience = time.Second     // a reply comes within tens of milliseconds
	dataPatience  = 3 * time.Second // data comes every second
	tries         = 3
	saturatedPM25 = 999.9
)

// dev is a sensor on a serial line.
type dev struct {
	line       *driver.Line
	cfg        Config
	clock      driver.Clock
	configured bool
	noReplies  bool      // the sensor does not answer commands
	woke       time.Time // when the fan was started, or was first seen to run
}

// newDev returns the sensor behind rw: a port at 9600 8N1 with a read timeout.
func newDev(rw io.ReadWriter, cfg Config) *dev {
	cfg.Samples = max(cfg.Samples, 1)
	clock := driver.ClockOr(cfg.Clock)
	return &dev{line: driver.NewLine(rw, clock), cfg: cfg, clock: clock}
}

// Counts returns the line's counts.
func (d *dev) Counts() driver.Counts { return d.line.Counts() }

// Read wakes the sensor, waits for WARM_UP, averages SAMPLES values and lets the sensor
// sleep again, in about 35 s. Without a duty cycle it only averages, and values within
// WARM_UP after the start are marked as warming up.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s, err := d.measure(ctx)
	if d.cfg.DutyCycle {
		// The fan must stop even if the measurement failed or was cancelled.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*tries*replyPatience)
		defer cancel()
		serr := d.sleep(ctx)
		switch {
		case err != nil:
		case errors.Is(serr, driver.ErrNoAnswer):
			s.Flag(driver.Suspect, "the sensor did not confirm the sleep command, its fan may still run: check the wire to its RX pin")
		case serr != nil:
			err = serr
		}
	}
	if err != nil {
		return driver.Sample{}, fmt.Errorf("sds011: %w", err)
	}
	return s, nil
}

// measure wakes the sensor, averages and sets the quality.
func (d *dev) measure(ctx context.Context) (driver.Sample, error) {
	if err := d.wake(ctx); err != nil {
		return driver.Sample{}, err
	}
	if d.cfg.DutyCycle {
		if err := d.clock.Wait(ctx, d.cfg.WarmUp); err != nil {
			return driver.Sample{}, err
		}
	}
	if err := d.line.Discard(); err != nil {
		return driver.Sample{}, err
	}
	s, err := d.average(ctx)
	if err != nil {
		return driver.Sample{}, err
	}
	if d.noReplies {
		s.Flag(driver.Suspect, "the sensor sends data but does not answer commands, so its fan never stops: check the wire to its RX pin")
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

// wake starts the fan, and configures the sensor at the first call. A sensor that sends
// data but answers no command is used as it is.
func (d *dev) wake(ctx context.Context) error {
	if d.configured && !d.cfg.DutyCycle {
		return nil
	}
	d.noReplies = false
	_, err := d.command(ctx, cmdPower, set, work)
	if errors.Is(err, driver.ErrNoAnswer) {
		d.noReplies = true
	} else if err != nil {
		return fmt.Errorf("wake: %w", err)
	}
	d.woke = d.clock.Now()
	if d.configured || d.noReplies {
		return nil
	}
	if err := d.configure(ctx); err != nil {
		return err
	}
	d.configured = true
	return nil
}

// configure makes the sensor report every second, whatever its earlier settings. It
// writes only settings that differ, since the sensor keeps them in flash.
func (d *dev) configure(ctx context.Context) error {
	for _, want := range []struct {
		cmd, value byte
		what       string
	}{{cmdMode, active, "mode"}, {cmdPeriod, continuous, "working period"}} {
		got, err := d.command(ctx, want.cmd, get, 0)
		if err == nil && got != want.value {
			_, err = d.command(ctx, want.cmd, set, want.value)
		}
		if err != nil {
			return fmt.Errorf("set the %s: %w", want.what, err)
		}
	}
	return nil
}

func (d *dev) sleep(ctx context.Context) error {
	if _, err := d.command(ctx, cmdPower, set, sleep); err != nil {
		return fmt.Errorf("sleep: %w", err)
	}
	return nil
}

// command sends a command, up to three times, until the sensor confirms it. It returns
// the confirmed value. Data frames in between are dropped.
func (d *dev) command(ctx context.Context, cmd, setting, value byte) (byte, error) {
	for try := range tries {
		if try > 0 {
			d.line.CountRetry()
		}
		if err := d.line.Write(command(cmd, setting, value)); err != nil {
			return 0, err
		}
		got, err := d.reply(ctx, cmd, setting)
		if err == nil && (setting == get || got == value) {
			return got, nil
		}
		if err != nil && !errors.Is(err, driver.ErrNoAnswer) {
			return 0, err
		}
	}
	return 0, driver.ErrNoAnswer
}

// reply waits for the reply to a command and returns its value.
func (d *dev) reply(ctx context.Context, cmd, setting byte) (byte, error) {
	deadline := d.clock.Now().Add(replyPatience)
	for {
		f, err := d.line.Next(ctx, deadline.Sub(d.clock.Now()), match)
		if err != nil {
			return 0, err
		}
		if f[1] == kindReply && f[2] == cmd && f[3] == setting {
			return f[4], nil
		}
	}
}

// average returns the mean of the next SAMPLES data frames.
func (d *dev) average(ctx context.Context) (driver.Sample, error) {
	var pm25, pm10 float64
	var zeros int
	// The sensor sends one frame a second. Frames with two zeros are not counted, so a
	// sensor that sends only these reaches the deadline.
	deadline := d.clock.Now().Add(dataPatience + time.Duration(2*d.cfg.Samples)*time.Second)
	for n := 0; n < d.cfg.Samples; {
		f, err := d.line.Next(ctx, min(dataPatience, deadline.Sub(d.clock.Now())), match)
		if errors.Is(err, driver.ErrNoAnswer) && zeros > 0 && n == 0 {
			s := sample(0, 0)
			s.Flag(driver.Suspect, "both values are 0.0: no particle is counted, the fan may have stopped")
			return s, nil
		}
		if errors.Is(err, driver.ErrNoAnswer) {
			return driver.Sample{}, fmt.Errorf("%w: check power (5 V), the wire from the sensor's TX pin, and the port", err)
		}
		if err != nil {
			return driver.Sample{}, err
		}
		if f[1] != kindData {
			continue
		}
		a, b := decode(f)
		if a == 0 && b == 0 {
			zeros++
			continue // no particle counted yet
		}
		pm25, pm10, n = pm25+a, pm10+b, n+1
	}
	return sample(pm25/float64(d.cfg.Samples), pm10/float64(d.cfg.Samples)), nil
}

// sample makes a sample of the means and flags implausible values.
func sample(pm25, pm10 float64) driver.Sample {
	s := driver.New()
	s.Fields["pm2_5_ugm3"], s.Fields["pm10_ugm3"] = round(pm25), round(pm10)
	switch {
	case s.Fields["pm2_5_ugm3"] >= saturatedPM25 || s.Fields["pm10_ugm3"] >= 2*saturatedPM25:
		s.Flag(driver.Suspect, "saturated: the fan may have stopped or the inlet may be blocked")
	case pm10 < pm25:
		s.Flag(driver.Suspect, "pm10 is below pm2.5")
	}
	s.FlagOutOfRange()
	return s
}
