package driver

import (
	"context"
	"time"
)

// Clock is what a driver waits by. A simulated sensor brings its own, so that
// thirty seconds of warm-up take none in a test.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or at once with ctx's error when ctx ends.
	Wait(ctx context.Context, d time.Duration) error
}

// RealClock is the machine's clock.
type RealClock struct{}

// Now is time.Now.
func (RealClock) Now() time.Time { return time.Now() }

// Wait sleeps.
func (RealClock) Wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// ClockOr returns c, or the machine's clock where c is nil.
func ClockOr(c Clock) Clock {
	if c == nil {
		return RealClock{}
	}
	return c
}
