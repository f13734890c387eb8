//go:build !linux

package agent

import (
	"strconv"
	"time"
)

// SystemClock returns the machine's clock. On systems other than Linux it always counts
// as set.
func SystemClock() Clock {
	return Clock{
		Wall: time.Now, Mono: func() time.Duration { return time.Since(started) },
		Synced: func() bool { return true }, Kernel: strconv.FormatInt(started.UnixNano(), 36),
	}
}
