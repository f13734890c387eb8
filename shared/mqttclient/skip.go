package mqttclient

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
)

const (
	// MaxPayload is the largest payload in bytes that a client receives whole by default.
	// MQTT allows 268,435,455 bytes, which the MQTT library would hold twice in memory.
	MaxPayload = 4 << 20
	// keptPayload is the number of bytes that a client keeps of a larger payload, at most.
	keptPayload = 64 << 10

	readAhead = 32 << 10 // bytes of the read buffer
	maxOther  = 64 << 10 // bytes of a packet that is not a PUBLISH
	aliveSpan = 64 << 10 // skipped bytes between two signs of life
	qosBits   = 0x06     // of a packet's first byte
)

// The first bytes of packets (MQTT 3.1.1, table 2.1).
const (
	publishType  = 3 // its upper four bits
	pingResponse = 0xd0
)

// mark ends each payload that was cut, before its size. It is secret, so that no sender can
// claim that its message was cut.
var mark = rand.Text()

// Cut returns the payload of a received message and its size as published. If the payload
// was larger than Access.MaxPayload, payload is only its beginning, of keptPayload bytes
// (or MaxPayload bytes, if these are fewer), and size is larger than len(payload).
func Cut(received []byte) (payload []byte, size int) {
	n := len(received) - len(mark) - 8
	if n < 0 || string(received[n:n+len(mark)]) != mark {
		return received, len(received)
	}
	return received[:n], int(binary.BigEndian.Uint64(received[n+len(mark):]))
}

// skipper is a client's connection to a broker. Reading from it returns the packets of the
// broker, but of a PUBLISH packet whose payload has more than max bytes only the beginning
// of the payload, then mark and the payload's size. The rest is read and not kept, so that
// the MQTT library acknowledges the message after it was received as a whole. While it is
// read, each aliveSpan bytes count as a PINGRESP: the broker's own one comes only after the
// packet, which may be later than the library's PingTimeout.
type skipper struct {
	net.Conn
	in   *bufio.Reader
	max  int
	head [7]byte // memory for out
	out  []byte  // to be returned next
	pass int     // bytes of in to be returned after out
	skip int     // bytes of in to be skipped after out; then cut follows
	cut  []byte  // a shortened packet
}

func newSkipper(c net.Conn, most int) *skipper {
	return &skipper{Conn: c, in: bufio.NewReaderSize(c, readAhead), max: most}
}

func (s *skipper) Read(p []byte) (int, error) {
	for len(p) > 0 {
		switch {
		case len(s.out) > 0:
			n := copy(p, s.out)
			s.out = s.out[n:]
			return n, nil
		case s.pass > 0:
			n, err := s.in.Read(p[:min(len(p), s.pass)])
			s.pass -= n
			return n, err
		case s.skip > 0:
			n, err := s.in.Discard(min(s.skip, aliveSpan))
			if s.skip -= n; err != nil {
				return 0, unexpected(err)
			}
			s.out = append(s.head[:0], pingResponse, 0)
		case s.cut != nil:
			s.out, s.cut = s.cut, nil
		default:
			if err := s.next(); err != nil {
				return 0, err
			}
		}
	}
	return 0, nil
}

// next reads the beginning of the next packet: the fixed header, and of a large PUBLISH
// what is kept of it.
func (s *skipper) next() error {
	first, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	n, err := s.readLength()
	if err != nil {
		return err
	}
	s.out = appendLength(append(s.head[:0], first), n)
	if s.pass = n; n <= min(s.max, maxOther) {
		return nil
	}
	if first>>4 != publishType {
		return errors.New("the broker sent a packet that is larger than MQTT needs")
	}
	if n <= s.max {
		return nil
	}
	return s.large(first, n)
}

// large reads the beginning of a PUBLISH packet with n bytes after its fixed header.
func (s *skipper) large(first byte, n int) error {
	topic, err := s.in.Peek(2)
	if err != nil {
		return unexpected(err)
	}
	before := 2 + int(binary.BigEndian.Uint16(topic)) // bytes before the payload
	if first&qosBits != 0 {
		before += 2 // the packet id
	}
	size := n - before
	if size <= s.max {
		return nil // the topic is long
	}
	kept := before + min(keptPayload, s.max)
	length := kept + len(mark) + 8
	s.cut = appendLength(append(make([]byte, 0, length+5), first), length)
	end := len(s.cut) + kept
	if _, err := io.ReadFull(s.in, s.cut[len(s.cut):end]); err != nil {
		return unexpected(err)
	}
	s.cut = binary.BigEndian.AppendUint64(append(s.cut[:end], mark...), uint64(size))
	s.out, s.pass, s.skip = nil, 0, n-kept
	return nil
}

// readLength reads the remaining length of a packet (MQTT 3.1.1, 2.2.3).
func (s *skipper) readLength() (n int, err error) {
	for shift := 0; shift < 28; shift += 7 {
		b, err := s.in.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		if n |= int(b&0x7f) << shift; b < 0x80 {
			return n, nil
		}
	}
	return 0, errors.New("the broker sent a packet whose length is malformed")
}

// appendLength appends the remaining length n of a packet.
func appendLength(b []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// unexpected returns err, for a connection that ended inside of a packet.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
