package command

import (
	"fmt"
	"io"
	"sync"
)

// output remembers the first error of writing, so that a command whose output was lost
// fails, even where the command did not look.
type output struct {
	w   io.Writer
	mu  sync.Mutex
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = fmt.Errorf("write the output: %w", err)
		}
	}
	return n, err
}

// Fd is the descriptor of what is written to, which may be a terminal; an invalid one if it
// has none.
func (o *output) Fd() uintptr {
	if f, ok := o.w.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
