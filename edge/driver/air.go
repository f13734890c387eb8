package driver

import (
	"sync"
	"time"
)

// Air is what devices last said of the air, for sensors that make use of it. It
// may be used by several goroutines.
type Air struct {
	mu     sync.Mutex
	latest map[string]airReading
}

type airReading struct {
	fields map[string]float64
	at     time.Time
}

const airMaxAge = 10 * time.Minute // what is older is not known

// NewAir returns an empty one.
func NewAir() *Air { return &Air{latest: map[string]airReading{}} }

// Note keeps what a device said, if it is good.
func (a *Air) Record(device string, s Sample) {
	if s.Quality != OK {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latest[device] = airReading{s.Fields, time.Now()}
}

func (a *Air) get(device, field string) (float64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.latest[device]
	v, ok := l.fields[field]
	return v, ok && time.Since(l.at) < airMaxAge
}

// Humidity returns a function that tells the relative humidity at a device in
// percent. It is nil where no device is named.
func (a *Air) Humidity(device string) func() (float64, bool) {
	return a.field(device, "humidity_percent")
}

// Pressure returns a function that tells the air pressure at a device in hPa. It is
// nil where no device is named.
func (a *Air) Pressure(device string) func() (float64, bool) { return a.field(device, "pressure_hpa") }

func (a *Air) field(device, field string) func() (float64, bool) {
	if device == "" {
		return nil
	}
	return func() (float64, bool) { return a.get(device, field) }
}

// Climate returns a function that tells temperature and relative humidity at a
// device. It is nil where no device is named.
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
