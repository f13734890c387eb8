package driver

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/pause"
)

// Clock is the clock that a driver waits by. Simulated sensors have their own, so that
// thirty seconds of warm-up take no time in a test.
type Clock interface {
	Now() time.Time
	// Wait returns nil after d, or ctx's error as soon as ctx ends.
	Wait(ctx context.Context, d time.Duration) error
}

// RealClock is the machine's clock.
type RealClock struct{}

// Now is time.Now.
func (RealClock) Now() time.Time { return time.Now() }

// Wait waits in real time.
func (RealClock) Wait(ctx context.Context, d time.Duration) error {
	pause.For(ctx, d)
	return ctx.Err()
}

// ClockOr returns c, or the machine's clock where c is nil.
func ClockOr(c Clock) Clock {
	if c == nil {
		return RealClock{}
	}
	return c
}
