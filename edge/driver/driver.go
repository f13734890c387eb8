// Package driver holds what all sensor drivers share: the Sample that a driver returns
// and its quality, the clock that a driver waits by, the frame reader of serial sensors,
// and the declaration of a kind of sensor.
//
// A driver is one blocking Read over an io.ReadWriter, an i2c.Bus, a network address or
// a file system. It opens no port, starts no goroutine, and does not log or publish. It
// waits only where the sensor requires it. The caller of Read owns the schedule and the
// port, and reopens the port after an unplug.
package driver

import (
	"context"
	"fmt"
	"strings"
)

// Reader is a sensor. Read blocks until the sensor has a sample, which may take minutes,
// or until ctx ends. Read is not safe for concurrent use.
type Reader interface {
	Read(ctx context.Context) (Sample, error)
}

// Counter is a driver that counts errors on its line or bus. Counts must not be called
// during a Read.
type Counter interface {
	Counts() Counts
}

// Counts are a driver's counts since it was made.
type Counts struct {
	Frames    uint64 // good frames, words or files
	BadFrames uint64 // frames or words with a wrong checksum
	Skipped   uint64 // bytes that belonged to no frame
	Retries   uint64 // commands or reads that were repeated
}

// Quality is how far a Sample can be trusted.
type Quality string

// The qualities, as in the MQTT message.
const (
	OK        Quality = "ok"
	WarmingUp Quality = "warming_up"
	Suspect   Quality = "suspect"
)

// Sample holds a sensor's values at one time. The keys of Fields are fields of the
// catalogue, with the unit in the key. An implausible value is kept as it came, and
// Quality and Reason tell that it is implausible.
type Sample struct {
	Fields  map[string]float64
	Text    map[string]string
	Quality Quality
	Reason  string
}

// New returns an empty Sample of quality ok.
func New() Sample {
	return Sample{Fields: map[string]float64{}, Text: map[string]string{}, Quality: OK}
}

// Flag lowers the quality of s to q and adds a reason. A suspect sample stays suspect.
func (s *Sample) Flag(q Quality, format string, args ...any) {
	if s.Quality != Suspect {
		s.Quality = q
	}
	reason := fmt.Sprintf(format, args...)
	switch {
	case s.Reason == "":
		s.Reason = reason
	case !strings.Contains(s.Reason, reason):
		s.Reason += "; " + reason
	}
}
