package deliver

import (
	"context"
	"errors"
	"sync"
	"time"
)

// answerTime is how long a call that is in flight when its function is replaced or removed
// may still take. On Kubernetes the old pod finishes its calls. faasd removes the old
// container's network first: its answer never comes, and neither does an error.
const answerTime = 3 * time.Second

// errReplaced is why a call was given up.
var errReplaced = errors.New("the function was replaced or removed, and its old process did not answer")

// calls gives the calls of a function their context. The calls to one deployment of the
// function share it.
type calls struct {
	base context.Context // of all calls of the Deliverer

	mu      sync.Mutex
	current context.Context
	giveUp  context.CancelCauseFunc // of current
}

func newCalls(base context.Context) *calls {
	c := &calls{base: base}
	c.current, c.giveUp = context.WithCancelCause(base)
	return c
}

// context returns the context for a new call.
func (c *calls) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// replaced gives the calls that are in flight at present another wait, and then gives them
// up. Calls that begin from now on are not affected.
func (c *calls) replaced(wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	giveUp := c.giveUp
	time.AfterFunc(wait, func() { giveUp(errReplaced) })
	c.current, c.giveUp = context.WithCancelCause(c.base)
}

// end releases the contexts.
func (c *calls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.giveUp(nil)
}
