// Package sgp30 reads the Sensirion SGP30: volatile organic compounds, and a
// CO2 equivalent estimated from them (I2C, address 0x58).
//
// Datasheet: "SGP30", V0.93, 2020
// (https://sensirion.com/media/documents/984E0DD5/61644B8B/Sensirion_Gas_Sensors_Datasheet_SGP30.pdf).
//
// What one stumbles over:
//   - the chip corrects itself by being measured once a second, so a Read
//     measures for SAMPLES seconds and the next one must follow at once: an
//     interval longer than SAMPLES lets the baseline drift;
//   - an init forgets the baseline, so it is done once, and not after a bus error;
//   - the baseline is read as (CO2eq, TVOC) and written as (TVOC, CO2eq);
//   - for 15 s after the init it says 400 ppm and 0 ppb;
//   - without a stored baseline its values mean little for 12 hours;
//   - the CO2 equivalent follows alcohol, not breath: it is eco2_ppm, never co2_ppm.
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

// baseline is what a sensor has learnt. It belongs to one sensor, and is stale
// after a week.
type baseline struct {
	Serial string    `json:"serial"`
	ECO2   uint16    `json:"eco2"`
	TVOC   uint16    `json:"tvoc"`
	At     time.Time `json:"at"`
}

// Config is how a sensor is used.
type Config struct {
	Samples int `env:"SAMPLES" envDefault:"60"` // seconds to measure and average over; at least the interval

	// Load returns what Save was given for the sensor with this serial number.
	// Save is called every hour and must outlive a power cut.
	Load func(serial string) (baseline, bool) `env:"-"`
	Save func(baseline)                       `env:"-"`
	// Climate of the air at the sensor, where something near measures it.
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
	started  time.Time // the init
	next     time.Time // when to measure again
	restored bool
	saved    time.Time
	humidity uint16
}

// newDev returns the sensor on bus. It does no I/O.
func newDev(bus i2c.Bus, cfg Config) *dev {
	cfg.Samples = max(cfg.Samples, 1)
	clock := driver.ClockOr(cfg.Clock)
	return &dev{dev: sensirion.New(bus, addr, clock), cfg: cfg, clock: clock}
}

// Counts tells what the bus has seen.
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
		d.dev.Counts.Retries++ // with the next Read; the measuring must go on
	}
	s, err := d.average(ctx)
	if err != nil {
		return s, err
	}
	d.saveBaseline(ctx)
	return s, nil
}

// init starts the chip's algorithm with what it had learnt.
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

// average measures every second. A failed measurement is left out; if all
// failed, the chip may have lost power, and the next Read starts it anew.
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

// keepBaseline hands the baseline over every hour, once it is worth keeping. A
// failure is no harm: the next Read tries again.
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

// compensate tells the chip the absolute humidity when it has changed.
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

// humidityWord is the absolute humidity in g/m³ as 8.8 fixed point. Zero would
// turn the compensation off.
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
