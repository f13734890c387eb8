package device

import (
	"context"
	"fmt"
	"slices"
)

// flight is a batch on its way to the store. What the register holds of it is
// true only if it lands.
type flight struct {
	done chan struct{}
	err  error // once done is closed
}

func newFlight() *flight { return &flight{done: make(chan struct{})} }

func (f *flight) land(err error) {
	f.err = err
	close(f.done)
}

func (f *flight) landed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// lean notes that b was planned by what another batch says that is still under
// way: when a gateway dies, the connector sends again what is being written.
func (b *Batch) lean(f *flight) {
	if f == nil || f == b.flight || slices.Contains(b.leans, f) {
		return
	}
	if f.landed() && f.err == nil {
		return
	}
	b.leans = append(b.leans, f)
}

// landed waits for the batches that b leans on. If one of them failed, b comes
// again too, and is planned by what is stored.
func (b *Batch) landed(ctx context.Context) error {
	for _, f := range b.leans {
		select {
		case <-f.done:
			if f.err != nil {
				return fmt.Errorf("the batch before was not stored: %w", f.err)
			}
		case <-ctx.Done():
			return fmt.Errorf("the batch before is not stored yet: %w", ctx.Err())
		}
	}
	return nil
}
