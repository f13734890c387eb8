package agent

import (
	"io"
	"log/slog"
	"math"
	"net"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hearth-home/hearth/shared/testserver/free"
)

// broker is a mochi broker behind a proxy at addr. stop and start switch the proxy, which
// the agent uses. The store connects to direct and is not affected.
type broker struct {
	t            testing.TB
	addr, direct string

	mu    sync.Mutex
	gate  net.Listener
	conns []net.Conn
}

func startBroker(t testing.TB) *broker {
	t.Helper()
	c := mochi.NewDefaultServerCapabilities()
	c.MaximumClientWritesPending, c.MaximumInflight = 1<<20, math.MaxUint16
	server := mochi.New(&mochi.Options{Capabilities: c, Logger: slog.New(slog.DiscardHandler)})
	server.AddHook(new(auth.AllowHook), nil)
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, addr: free.Addr(t), direct: l.Address()}
	b.start()
	t.Cleanup(func() { b.stop(); server.Close() })
	return b
}

func (b *broker) start() {
	gate, err := net.Listen("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.gate = gate
	b.mu.Unlock()
	go func() {
		for {
			in, err := gate.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", b.direct)
			if err != nil {
				in.Close()
				return
			}
			b.mu.Lock()
			if b.gate != gate {
				in.Close()
				out.Close()
			}
			b.conns = append(b.conns, in, out)
			b.mu.Unlock()
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					io.Copy(way[0], way[1])
					in.Close()
					out.Close()
				}()
			}
		}
	}()
}

func (b *broker) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gate != nil {
		b.gate.Close()
		b.gate = nil
	}
	for _, c := range b.conns {
		c.Close()
	}
	b.conns = nil
}
