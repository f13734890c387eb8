package chaos

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// tap is a proxy between the connector and the broker. It records which messages the
// broker has sent and the connector has acknowledged.
type tap struct {
	addr, broker string

	mu        sync.Mutex
	links     int
	delivered map[string]int  // by payload: how often the broker sent it
	acked     map[string]bool // by payload
}

func newTap(t testing.TB, broker string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &tap{addr: l.Addr().String(), broker: broker, delivered: map[string]int{}, acked: map[string]bool{}}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed by the test's end
			}
			go p.link(client)
		}
	}()
	return p
}

// link passes packets on in both directions until one side ends.
func (p *tap) link(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.broker)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.links++
	p.mu.Unlock()
	payloads := map[uint16]string{} // by packet id
	go func() {
		pass(server, client, func(c packets.ControlPacket) { p.acknowledged(c, payloads) })
		server.Close()
	}()
	pass(client, server, func(c packets.ControlPacket) { p.sent(c, payloads) })
}

// pass copies packets from src to dst. It calls seen with each before it is passed on.
func pass(dst io.Writer, src io.Reader, seen func(packets.ControlPacket)) {
	var buf bytes.Buffer
	for {
		buf.Reset()
		c, err := packets.ReadPacket(io.TeeReader(src, &buf))
		if err != nil {
			return
		}
		seen(c)
		if _, err := dst.Write(buf.Bytes()); err != nil {
			return
		}
	}
}

func (p *tap) sent(c packets.ControlPacket, payloads map[uint16]string) {
	if m, ok := c.(*packets.PublishPacket); ok && m.Qos > 0 {
		p.mu.Lock()
		defer p.mu.Unlock()
		payloads[m.MessageID] = string(m.Payload)
		p.delivered[string(m.Payload)]++
	}
}

func (p *tap) acknowledged(c packets.ControlPacket, payloads map[uint16]string) {
	if m, ok := c.(*packets.PubackPacket); ok {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.acked[payloads[m.MessageID]] = true
	}
}

// connections returns how often the connector has connected.
func (p *tap) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links
}

// again counts the messages that the broker sent more than once.
func (p *tap) again() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, times := range p.delivered {
		if times > 1 {
			n++
		}
	}
	return n
}

// took reports whether the connector has acknowledged a message with this payload.
func (p *tap) took(payload string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acked[payload]
}
