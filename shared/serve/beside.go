package serve

import (
	"context"
	"sync"
)

// Beside runs work beside the answers of a function. Run waits for it when the function
// stops. The zero value is ready to use.
type Beside struct {
	mu      sync.Mutex
	stopped bool
	work    sync.WaitGroup
}

// beside is the work of this process.
var beside Beside

// Go runs f. After Stop it does nothing. f must end within seconds.
func (b *Beside) Go(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stopped {
		b.work.Go(f)
	}
}

// Stopped reports whether Stop was called: what can be done later should wait for the next
// process.
func (b *Beside) Stopped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped
}

// Stop waits until all work has ended, or until ctx ends, which is an error.
func (b *Beside) Stop(ctx context.Context) error {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	done := make(chan struct{})
	go func() {
		b.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
