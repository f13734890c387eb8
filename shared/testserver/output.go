package testserver

import (
	"bytes"
	"sync"
)

// Output keeps what is written to it, by several goroutines or a process. It can be read
// meanwhile.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Tail returns the last 3,000 bytes, for a failure message.
func (o *Output) Tail() string {
	s := o.String()
	return s[max(0, len(s)-3000):]
}
