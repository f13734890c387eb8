package driver

import (
	"sync"
	"time"
)

// Air holds each device's latest good sample, for sensors that use another's values. It
// is safe for concurrent use.
type Air struct {
	mu     sync.Mutex
	latest map[string]airReading
}

type airReading struct {
	fields map[string]float64
	at     time.Time
}

const airMaxAge = 10 * time.Minute // older values are not used

// NewAir returns an Air without samples.
func NewAir() *Air { return &Air{latest: map[string]airReading{}} }

// Record keeps a device's sample if its quality is ok.
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

// Humidity returns a function for the relative humidity at a device in percent. It is
// nil if device is empty. Its result is not ok without a value of the last 10 minutes.
func (a *Air) Humidity(device string) func() (float64, bool) {
	return a.field(device, "humidity_percent")
}

// Pressure is like Humidity, for the air pressure in hPa.
func (a *Air) Pressure(device string) func() (float64, bool) { return a.field(device, "pressure_hpa") }

func (a *Air) field(device, field string) func() (float64, bool) {
	if device == "" {
		return nil
	}
	return func() (float64, bool) { return a.get(device, field) }
}

// Climate is like Humidity, for temperature in °C and relative humidity in percent.
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
