// Package driver holds what every sensor driver of the edge shares: the Sample
// that a driver returns, the quality of a Sample, the clock that a driver waits
// by, and the line on which serial sensors send their frames.
//
// A driver is one blocking Read over an io.ReadWriter, an i2c.Bus, a network
// address or a file system. It opens no port, starts no goroutine, logs and
// publishes nothing, and waits only where the sensor demands it. Whoever calls
// Read owns the schedule, the port and the reopening after an unplug.
package driver

import (
	"context"
	"fmt"
	"strings"
)

// Reader is a sensor. Read blocks for as long as the sensor takes, which may
// be minutes, and ends early when ctx does. It must not be called twice at once.
type Reader interface {
	Read(ctx context.Context) (Sample, error)
}

// Counter is a driver that counts what it had to skip. Counts must not be
// called during a Read.
type Counter interface {
	Counts() Counts
}

// Counts is what a driver saw since it was made.
type Counts struct {
	Frames    uint64 // good frames, words or files
	BadFrames uint64 // frames or words with a wrong checksum
	Skipped   uint64 // bytes that belonged to no frame
	Retries   uint64 // commands or reads that were repeated
}

// Quality says how far a Sample can be trusted.
type Quality string

// The qualities, as they stand in the message on MQTT.
const (
	OK        Quality = "ok"
	WarmingUp Quality = "warming_up"
	Suspect   Quality = "suspect"
)

// Sample is what a sensor said at one moment. The keys of Fields are those of the
// catalogue; the unit is in the key. A value that cannot be right is kept as it
// came, and Quality and Reason say so.
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

// Flag lowers the quality of s. Suspect outweighs warming_up, and every reason
// is kept.
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
