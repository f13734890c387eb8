package kasa

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
)

const (
	legacyPort = 9999
	firstKey   = 171 // takes the place of the byte before the first one
)

// scramble obfuscates plain text for the legacy protocol: each byte is XORed with the
// scrambled byte before it.
func scramble(plain []byte) []byte {
	out, key := make([]byte, len(plain)), byte(firstKey)
	for i, c := range plain {
		key ^= c
		out[i] = key
	}
	return out
}

// unscramble is the inverse of scramble.
func unscramble(b []byte) []byte {
	out, key := make([]byte, len(b)), byte(firstKey)
	for i, c := range b {
		out[i] = key ^ c
		key = c
	}
	return out
}

// frame returns a frame: the length in four bytes, and the scrambled text.
func frame(plain []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(plain))), scramble(plain)...)
}

// readFrame reads a frame and returns its plain text.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes: this is not a Kasa plug", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return unscramble(body), nil
}

// legacyConn is a connection to port 9999.
type legacyConn struct {
	net.Conn
	stop func() bool
}

func dialLegacy(ctx context.Context, host string, port int) (*legacyConn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(cmp.Or(port, legacyPort))))
	if err != nil {
		return nil, fmt.Errorf("legacy protocol: check the address and that the plug is on the network: %w", err)
	}
	return &legacyConn{conn, context.AfterFunc(ctx, func() { conn.Close() })}, nil
}

func (c *legacyConn) Close() error {
	c.stop()
	return c.Conn.Close()
}

// query sends a query and returns the plain text of the answer.
func (c *legacyConn) query(ctx context.Context, query []byte) ([]byte, error) {
	_, err := c.Write(frame(query))
	var answer []byte
	if err == nil {
		answer, err = readFrame(c)
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("legacy protocol: %w", err)
	}
	return answer, nil
}
