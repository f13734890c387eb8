package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// part is a part of the platform. start returns when the part works. stop ends it; calls
// and messages in flight may finish while ctx lasts.
type part struct {
	name  string
	start func(ctx context.Context) error
	stop  func(ctx context.Context) error
}

// startAll starts the parts in order. If one fails, it stops those that it has started.
func startAll(ctx context.Context, parts []part) error {
	for i, p := range parts {
		err := ctx.Err()
		if err == nil {
			err = p.start(ctx)
		}
		if err != nil {
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			return errors.Join(fmt.Errorf("%s: %w", p.name, err), stopAll(end, parts[:i]))
		}
	}
	return nil
}

// stopAll stops the parts in reverse order, also after an error.
func stopAll(ctx context.Context, parts []part) error {
	var errs []error
	for _, p := range slices.Backward(parts) {
		if err := p.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(errs...)
}
