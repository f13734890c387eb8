// Package sgp30 reads the Sensirion SGP30 over I2C at address 0x58: volatile organic
// compounds (TVOC), and a CO2 equivalent that the chip estimates.
//
// Datasheet: "SGP30", V0.93, 2020
// (https://sensirion.com/media/documents/984E0DD5/61644B8B/Sensirion_Gas_Sensors_Datasheet_SGP30.pdf).
//
// Pitfalls:
//   - the chip's baseline correction needs a measurement every second. So a Read measures
//     for SAMPLES seconds, and the next Read must follow at once. With an interval longer
//     than SAMPLES the baseline drifts;
//   - an init clears the baseline, so it is done once, and not after a bus error;
//   - the baseline is read as (CO2eq, TVOC) and written as (TVOC, CO2eq);
//   - for 15 s after the init the chip returns 400 ppm and 0 ppb;
//   - without a stored baseline its values mean little for 12 hours;
//   - the CO2 equivalent follows alcohol, not breath, so the field is eco2_ppm, never
//     co2_ppm.
package sgp30

import (
	"context"
	"fmt"
	"math"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sensirion"
)

// addr is the sensor's only address.
const addr = 0x58

// baseline is the state of a sensor's baseline correction. It is valid for one sensor
// and for a week.
type baseline struct {
	Serial string    `json:"serial"`
	ECO2   uint16    `json:"eco2"`
	TVOC   uint16    `json:"tvoc"`
	At     time.Time `json:"at"`
}

// Config configures a sensor.
type Config struct {
	Samples int `env:"SAMPLES" envDefault:"60"` // seconds to measure and average over; at least the interval

	// Load returns the baseline last passed to Save for the sensor with this serial number.
	// Save is called every hour. What it saves must survive a power cut.
	Load func(serial string) (baseline, bool) `env:"-"`
	Save func(baseline)                       `env:"-"`
	// Climate returns temperature and relative humidity at the sensor, if another sensor
	// near it measures them.
	Climate func() (celsius, percent float64, ok bool) `env:"-"`
	Clock   driver.Clock                               `env:"-"`
}

// The datasheet's commands and execution times.
const (
	iaqInit             = 0x2003
	measureIAQ          = 0x2008
	getBaseline         = 0x2015
	setBaseline         = 0x201E
	setAbsoluteHumidity = 0x2061
	getFeatureSet       = 0x202F
	getSerialID         = 0x3682

	execTime    = 10 * time.Millisecond
	measureTime = 12 * time.Millisecond

	period       = time.Second
	bootTime     = 15 * time.Second
	learnTime    = 12 * time.Hour
	saveInterval = time.Hour
	staleAfter   = 7 * 24 * time.Hour
	saturated    = 60000
)

// dev is a sensor on a bus.
type dev struct {
	dev      *sensirion.Dev
	cfg      Config
	clock    driver.Clock
	ready    bool
	serial   string
	started  time.Time // time of the init
	next     time.Time // when to measure again
	restored bool      // a stored baseline was written to the chip
	saved    time.Time // last save of the baseline
	humidity uint16    // last sent to the chip
}

// newDev returns the sensor on bus. It does no I/O.
func newDev(bus i2c.Bus, cfg Config) *dev {
	cfg.Samples = max(cfg.Samples, 1)
	clock := driver.ClockOr(cfg.Clock)
	return &dev{dev: sensirion.New(bus, addr, clock), cfg: cfg, clock: clock}
}

// Counts returns the driver's counts.
func (d *dev) Counts() driver.Counts { return d.dev.Counts }

// Read measures once a second for SAMPLES seconds and returns the means.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s, err := d.read(ctx)
	if err != nil {
		return driver.Sample{}, fmt.Errorf("sgp30: %w", err)
	}
	return s, nil
}

func (d *dev) read(ctx context.Context) (driver.Sample, error) {
	if !d.ready {
		if err := d.init(ctx); err != nil {
			return driver.Sample{}, err
		}
	}
	if err := d.compensate(ctx); err != nil {
		d.dev.Counts.Retries++ // the next Read sends it again; the measuring must not stop
	}
	s, err := d.average(ctx)
	if err != nil {
		return s, err
	}
	d.saveBaseline(ctx)
	return s, nil
}

// init starts the chip's algorithm and restores the stored baseline.
func (d *dev) init(ctx context.Context) error {
	id, err := d.dev.Query(ctx, execTime, 3, getSerialID)
	if err != nil {
		return err
	}
	d.serial = fmt.Sprintf("%04x%04x%04x", id[0], id[1], id[2])
	feature, err := d.dev.Query(ctx, execTime, 1, getFeatureSet)
	if err != nil {
		return err
	}
	if kind := feature[0] >> 12; kind != 0 {
		return fmt.Errorf("the chip is of type %d, not an SGP30 (1 is an SGPC3)", kind)
	}
	if err := d.dev.Send(ctx, execTime, iaqInit); err != nil {
		return err
	}
	now := d.clock.Now()
	d.ready, d.restored, d.humidity, d.started, d.next, d.saved = true, false, 0, now, now.Add(period), now
	return d.restore(ctx, now)
}

// restore writes the stored baseline to the chip, if it is the sensor's own and not older
// than a week.
func (d *dev) restore(ctx context.Context, now time.Time) error {
	if d.cfg.Load == nil {
		return nil
	}
	b, ok := d.cfg.Load(d.serial)
	if age := now.Sub(b.At); !ok || b.Serial != d.serial || age > staleAfter || age < -staleAfter || b.ECO2 == 0 && b.TVOC == 0 {
		return nil
	}
	if err := d.dev.Send(ctx, execTime, setBaseline, b.TVOC, b.ECO2); err != nil {
		d.ready = false
		return err
	}
	d.restored = true
	return nil
}

// average measures every second for SAMPLES seconds and returns the means. It leaves out
// failed measurements. If all failed, the chip may have lost power, and the next Read
// does the init again.
func (d *dev) average(ctx context.Context) (driver.Sample, error) {
	var eco2, tvoc []float64
	var booting int
	var failed error
	for range d.cfg.Samples {
		words, err := d.measure(ctx)
		if ctx.Err() != nil {
			return driver.Sample{}, ctx.Err()
		}
		if err != nil {
			failed = err
			continue
		}
		if d.clock.Now().Sub(d.started) < bootTime && words[0] == 400 && words[1] == 0 {
			booting++
			continue
		}
		eco2, tvoc = append(eco2, float64(words[0])), append(tvoc, float64(words[1]))
	}
	if len(eco2)+booting == 0 {
		d.ready = false
		return driver.Sample{}, fmt.Errorf("%d measurements failed, the last: %w", d.cfg.Samples, failed)
	}
	return d.toSample(eco2, tvoc), nil
}

// measure waits for the next second and measures once.
func (d *dev) measure(ctx context.Context) ([]uint16, error) {
	if err := d.clock.Wait(ctx, d.next.Sub(d.clock.Now())); err != nil {
		return nil, err
	}
	now := d.clock.Now()
	if d.next = d.next.Add(period); d.next.Before(now) {
		d.next = now.Add(period)
	}
	return d.dev.Query(ctx, measureTime, 2, measureIAQ)
}

// toSample makes a sample of the measurements and sets its quality.
func (d *dev) toSample(eco2, tvoc []float64) driver.Sample {
	s := driver.New()
	if len(eco2) == 0 {
		s.Fields["eco2_ppm"], s.Fields["tvoc_ppb"] = 400, 0
		s.Flag(driver.WarmingUp, "started less than %v ago", bootTime)
		return s
	}
	s.Fields["eco2_ppm"], s.Fields["tvoc_ppb"] = mean(eco2), mean(tvoc)
	if !d.restored && d.clock.Now().Sub(d.started) < learnTime {
		s.Flag(driver.WarmingUp, "no baseline yet: the sensor learns for %v", learnTime)
	}
	for i := range eco2 {
		if eco2[i] >= saturated || tvoc[i] >= saturated {
			s.Flag(driver.Suspect, "saturated: alcohol or a cleaner near the sensor")
		}
	}
	s.FlagOutOfRange()
	return s
}

// saveBaseline saves the baseline every hour, once the chip has learnt for 12 hours or
// had a stored baseline. After a failure the next Read tries again.
func (d *dev) saveBaseline(ctx context.Context) {
	now := d.clock.Now()
	learnt := d.restored || now.Sub(d.started) >= learnTime
	if d.cfg.Save == nil || !learnt || now.Sub(d.saved) < saveInterval {
		return
	}
	if w, err := d.dev.Query(ctx, execTime, 2, getBaseline); err == nil {
		d.cfg.Save(baseline{Serial: d.serial, ECO2: w[0], TVOC: w[1], At: now})
		d.saved = now
	}
}

// compensate sends the absolute humidity to the chip if it has changed.
func (d *dev) compensate(ctx context.Context) error {
	if d.cfg.Climate == nil {
		return nil
	}
	celsius, percent, ok := d.cfg.Climate()
	if !ok || celsius < -40 || celsius > 85 || percent < 0 || percent > 100 {
		return nil
	}
	word := humidityWord(celsius, percent)
	if word == d.humidity {
		return nil
	}
	if err := d.dev.Send(ctx, execTime, setAbsoluteHumidity, word); err != nil {
		return err
	}
	d.humidity = word
	return nil
}

// humidityWord returns the absolute humidity in g/m³ as 8.8 fixed point, at least 1: zero
// turns the chip's humidity compensation off.
func humidityWord(celsius, percent float64) uint16 {
	vapour := percent / 100 * 6.112 * math.Exp(17.62*celsius/(243.12+celsius)) // hPa
	grams := 216.7 * vapour / (273.15 + celsius)
	return uint16(min(max(math.Round(grams*256), 1), 0xFFFF))
}

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return math.Round(sum/float64(len(v))*10) / 10
}
