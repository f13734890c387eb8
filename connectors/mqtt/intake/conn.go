package intake

import (
	"bufio"
	"net"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/net/proxy"
)

const (
	readAhead   = 32 << 10
	writeBehind = 64 << 10
)

// dial opens the connection to a broker without TLS. The library reads a packet
// in four pieces and writes each acknowledgement on its own. Buffered, 100,000
// messages of a backlog take 0.8 s of CPU instead of 1.25 s (BenchmarkDrain); with
// the reads buffered alone, 0.93 s.
func dial(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
	c, err := proxy.FromEnvironmentUsing(&net.Dialer{Timeout: o.ConnectTimeout}).Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	return newBuffered(c), nil
}

// buffered reads ahead, and collects what is written while a write is under way:
// that goes out with the next one. After a write that failed, all later ones fail.
type buffered struct {
	net.Conn
	in *bufio.Reader

	mu      sync.Mutex
	changed *sync.Cond
	waiting []byte
	closed  bool
	err     error
	done    chan struct{}
}

func newBuffered(c net.Conn) *buffered {
	b := &buffered{Conn: c, in: bufio.NewReaderSize(c, readAhead), done: make(chan struct{})}
	b.changed = sync.NewCond(&b.mu)
	go b.flush()
	return b
}

func (b *buffered) Read(p []byte) (int, error) { return b.in.Read(p) }

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.err == nil && !b.closed && len(b.waiting) > 0 && len(b.waiting)+len(p) > writeBehind {
		b.changed.Wait()
	}
	switch {
	case b.err != nil:
		return 0, b.err
	case b.closed:
		return 0, net.ErrClosed
	}
	b.waiting = append(b.waiting, p...)
	b.changed.Broadcast()
	return len(p), nil
}

// flush writes until the end, and then what waits.
func (b *buffered) flush() {
	defer close(b.done)
	var out []byte
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for len(b.waiting) == 0 && !b.closed {
			b.changed.Wait()
		}
		if len(b.waiting) == 0 || b.err != nil {
			return
		}
		out, b.waiting = b.waiting, out[:0]
		b.mu.Unlock()
		_, err := b.Conn.Write(out)
		b.mu.Lock()
		b.err = err
		b.changed.Broadcast()
		if err != nil {
			return
		}
	}
}

// Close waits a moment for what is written: the last packet is the DISCONNECT.
func (b *buffered) Close() error {
	b.mu.Lock()
	b.closed = true
	b.changed.Broadcast()
	b.mu.Unlock()
	select {
	case <-b.done:
	case <-time.After(time.Second): // the broker does not read
	}
	return b.Conn.Close()
}
