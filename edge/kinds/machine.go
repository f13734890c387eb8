package kinds

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sgp30"
)

// Real is this machine. Baselines are kept in dir; now tells the time, if it
// can be trusted.
func Real(dir string, now func() (time.Time, bool)) *Machine {
	b := &buses{open: map[string]*bus{}}
	return &Machine{
		Serial:    func(_ Sensor, path string) (io.ReadWriteCloser, error) { return openPort(path) },
		I2C:       b.get,
		Clock:     driver.RealClock{},
		Air:       NewAir(),
		Baselines: Baselines{Dir: dir, Now: now},
	}
}

// Air is what devices last said of the air, for sensors that make use of it.
type Air struct {
	mu     sync.Mutex
	latest map[string]air
}

type air struct {
	fields map[string]float64
	at     time.Time
}

const stale = 10 * time.Minute // what is older is not known

// NewAir returns an empty one.
func NewAir() *Air { return &Air{latest: map[string]air{}} }

// Note keeps what a device said, if it is good.
func (a *Air) Note(device string, s driver.Sample) {
	if s.Quality != driver.OK {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latest[device] = air{s.Fields, time.Now()}
}

func (a *Air) get(device, field string) (float64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.latest[device]
	v, ok := l.fields[field]
	return v, ok && time.Since(l.at) < stale
}

// Humidity returns what tells the humidity at a device, nil where none is named.
func (a *Air) Humidity(device string) func() (float64, bool) {
	return a.field(device, "humidity_percent")
}

// Pressure returns what tells the air pressure at a device.
func (a *Air) Pressure(device string) func() (float64, bool) { return a.field(device, "pressure_hpa") }

func (a *Air) field(device, field string) func() (float64, bool) {
	if device == "" {
		return nil
	}
	return func() (float64, bool) { return a.get(device, field) }
}

// Climate returns what tells temperature and humidity at a device.
func (a *Air) Climate(device string) func() (celsius, percent float64, ok bool) {
	if device == "" {
		return nil
	}
	return func() (float64, float64, bool) {
		t, ok := a.get(device, "temperature_celsius")
		h, ok2 := a.get(device, "humidity_percent")
		return t, h, ok && ok2
	}
}

// Baselines keeps what SGP30s have learnt, a file each, over a power cut.
type Baselines struct {
	Dir string
	Now func() (now time.Time, trusted bool)
	// Wrote is told how many bytes went to the disk.
	Wrote func(n int)
	// Failed is told what went wrong.
	Failed func(error)
}

func (b Baselines) path(serial string) string {
	return filepath.Join(b.Dir, "sgp30-"+filepath.Base(serial)+".json")
}

// Load returns what was saved. Before the clock is set nobody knows how old it
// is; then it counts as fresh, since a Pi is seldom off for a week.
func (b Baselines) Load(serial string) (sgp30.Baseline, bool) {
	if b.Dir == "" {
		return sgp30.Baseline{}, false
	}
	text, err := os.ReadFile(b.path(serial))
	var base sgp30.Baseline
	if err == nil {
		err = json.Unmarshal(text, &base)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			b.fail(fmt.Errorf("read the baseline of %s: %w", serial, err))
		}
		return sgp30.Baseline{}, false
	}
	if now, trusted := b.Now(); !trusted {
		base.At = now
	}
	return base, true
}

// Save keeps a baseline. One without a date is worth nothing later.
func (b Baselines) Save(base sgp30.Baseline) {
	now, trusted := b.Now()
	if b.Dir == "" || !trusted {
		return
	}
	base.At = now
	text, err := json.Marshal(base)
	if err == nil {
		err = WriteFile(b.path(base.Serial), text)
	}
	if err != nil {
		b.fail(fmt.Errorf("save the baseline of %s: %w", base.Serial, err))
		return
	}
	if b.Wrote != nil {
		b.Wrote(len(text))
	}
}

func (b Baselines) fail(err error) {
	if b.Failed != nil {
		b.Failed(err)
	}
}

// WriteFile replaces a small file such that a power cut leaves the old or the
// new one.
func WriteFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
