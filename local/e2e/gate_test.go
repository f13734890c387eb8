package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// gate is a proxy to a server. While it is shut, it holds back what clients send: the
// server seems slow.
type gate struct {
	addr    string
	mu      sync.Mutex
	open    chan bool // closed while the gate is open
	waiting chan bool // receives a value for each write that is held back
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	g := &gate{addr: l.Addr().String(), open: make(chan bool), waiting: make(chan bool, 100)}
	close(g.open)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed by the test's end
			}
			go g.pass(client, server)
		}
	}()
	return g
}

func (g *gate) pass(client net.Conn, server string) {
	defer client.Close()
	s, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer s.Close()
	go func() {
		io.Copy(client, s)
		client.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := client.Read(buf)
		if n > 0 {
			g.wait()
			if _, err := s.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (g *gate) wait() {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
		return
	default:
	}
	g.waiting <- true
	<-open
}

// shut holds back what clients send until unlock is called.
func (g *gate) shut() (unlock func()) {
	open := make(chan bool)
	g.mu.Lock()
	g.open = open
	g.mu.Unlock()
	return sync.OnceFunc(func() { close(open) })
}
