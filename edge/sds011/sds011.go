// Package sds011 reads the Nova SDS011 particulate sensor (UART 9600 8N1, 5 V).
//
// Datasheets: "Laser PM2.5 Sensor specification, SDS011", V1.3, 2015, and
// "Laser Dust Sensor Control Protocol", V1.3, 2015-07-20
// (https://cdn-reichelt.de/documents/datenblatt/X200/SDS011-DATASHEET.pdf).
//
// What they do not say:
//   - the checksum of a command covers its 15 data bytes only;
//   - every setting outlives a power cut, so a sensor that was used elsewhere
//     may be silent (query mode) or asleep for minutes (working period);
//   - a sleep command is lost now and then and the fan runs on, so the reply is
//     awaited and the command repeated;
//   - after waking, both values are 0.0 until the first particles are counted;
//   - above 70 % relative humidity droplets are counted as dust.
//
// The laser lives 8000 hours. With DUTY_CYCLE it is on for half a minute a Read.
package sds011

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config is how a sensor is used.
type Config struct {
	DutyCycle bool          `env:"DUTY_CYCLE" envDefault:"true"` // sleep between the readings
	WarmUp    time.Duration `env:"WARM_UP" envDefault:"30s"`     // from waking to values that hold
	Samples   int           `env:"SAMPLES" envDefault:"5"`       // seconds to average over

	// Humidity of the air, where something nearby measures it.
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
	noReplies  bool      // it does not answer commands
	woke       time.Time // when the fan started, as far as we know
}

// newDev returns the sensor behind rw: a port at 9600 8N1 with a read timeout.
func newDev(rw io.ReadWriter, cfg Config) *dev {
	cfg.Samples = max(cfg.Samples, 1)
	clock := driver.ClockOr(cfg.Clock)
	return &dev{line: driver.NewLine(rw, clock), cfg: cfg, clock: clock}
}

// Counts tells what the line has seen.
func (d *dev) Counts() driver.Counts { return d.line.Counts() }

// Read wakes the sensor, waits until its values hold, averages a few seconds
// and lets it sleep again: some 35 seconds. Without a duty cycle it takes as
// many seconds as it averages, and flags the first WARM_UP.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s, err := d.measure(ctx)
	if d.cfg.DutyCycle {
		// The fan must stop even where the measurement failed or was cut short.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*tries*replyPatience)
		defer cancel()
		serr := d.sleep(ctx)
		switch {
		case err != nil:
		case errors.Is(serr, driver.ErrNoAnswer):
			s.Flag(driver.Suspect, "the sensor did not confirm to sleep, its fan may run on: check the wire to its RX pin")
		case serr != nil:
			err = serr
		}
	}
	if err != nil {
		return driver.Sample{}, fmt.Errorf("sds011: %w", err)
	}
	return s, nil
}

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
		s.Flag(driver.Suspect, "data comes but commands are not answered, the fan never stops: check the wire to the sensor's RX pin")
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

// wake starts the fan and, once, puts the settings right. A sensor that hears
// nothing but sends data is used as it is.
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

// settle makes the sensor report every second, whatever a former owner set.
// Settings are written only where they differ: the sensor keeps them in flash.
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

// command sends a command until the sensor confirms it, and returns the value
// that it confirmed. Data frames in between are dropped.
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

// average is the mean of the next frames that carry data.
func (d *dev) average(ctx context.Context) (driver.Sample, error) {
	var pm25, pm10 float64
	var zeros int
	deadline := d.clock.Now().Add(dataPatience + time.Duration(2*d.cfg.Samples)*time.Second)
	for n := 0; n < d.cfg.Samples; {
		f, err := d.line.Next(ctx, min(dataPatience, deadline.Sub(d.clock.Now())), match)
		if errors.Is(err, driver.ErrNoAnswer) && zeros > 0 && n == 0 {
			s := sample(0, 0)
			s.Flag(driver.Suspect, "both values are 0.0: nothing is counted, the fan may stand")
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
			continue // nothing counted yet
		}
		pm25, pm10, n = pm25+a, pm10+b, n+1
	}
	return sample(pm25/float64(d.cfg.Samples), pm10/float64(d.cfg.Samples)), nil
}

func sample(pm25, pm10 float64) driver.Sample {
	s := driver.New()
	s.Fields["pm2_5_ugm3"], s.Fields["pm10_ugm3"] = round(pm25), round(pm10)
	switch {
	case s.Fields["pm2_5_ugm3"] >= saturatedPM25 || s.Fields["pm10_ugm3"] >= 2*saturatedPM25:
		s.Flag(driver.Suspect, "saturated: the fan may stand or the inlet be blocked")
	case pm10 < pm25:
		s.Flag(driver.Suspect, "pm10 is below pm2.5")
	}
	s.FlagOutOfRange()
	return s
}
