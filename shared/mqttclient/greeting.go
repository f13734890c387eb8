package mqttclient

import (
	"net"
	"strconv"
)

// The first bytes of what may answer a CONNECT.
const (
	connack   = 0x20 // MQTT 3.1.1, 3.2.1
	tlsAlert  = 0x15 // RFC 8446, 5.1: the type of a record
	tlsMajor  = 0x03 // the upper byte of its version
	mostFirst = 32   // bytes that are kept of a foreign answer
)

// foreignError is the first bytes of an answer that is no CONNACK.
type foreignError string

func (e foreignError) Error() string { return "the answer is not MQTT: " + strconv.Quote(string(e)) }

// greeted is a connection whose first byte must begin a CONNACK. The MQTT library would
// wait for the length that an HTTP answer seems to have.
type greeted struct {
	net.Conn
	first []byte // read and not yet returned
	known bool   // the first byte was right
}

func (g *greeted) Read(p []byte) (int, error) {
	if !g.known {
		first := make([]byte, mostFirst)
		n, err := g.Conn.Read(first)
		switch {
		case n == 0:
			return 0, err
		case first[0] != connack:
			return 0, foreignError(first[:n])
		}
		g.first, g.known = first[:n], true
	}
	if len(g.first) > 0 {
		n := copy(p, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	return g.Conn.Read(p)
}
