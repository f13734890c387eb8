package page

import (
	"context"
	"sync"
)

// maxPast is how many requests for a time in the past are answered at once. Each reads much,
// and hardly two are for the same time, so that any number of them could exhaust the memory and
// hold up who looks at the present.
const maxPast = 3

// turns lets maxPast requests go on; the others wait.
type turns struct {
	once  sync.Once
	slots chan struct{}
}

// enter waits for a turn, and reports whether it got one before ctx ended.
func (t *turns) enter(ctx context.Context) bool {
	t.once.Do(func() { t.slots = make(chan struct{}, maxPast) })
	select {
	case t.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *turns) leave() { <-t.slots }
