package intake

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

// TestWrittenBytesArriveInOrder includes the bytes written just before Close.
func TestWrittenBytesArriveInOrder(t *testing.T) {
	near, far := pair(t)
	var want bytes.Buffer
	got := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(far)
		got <- b
	}()
	c := newBuffered(near)
	for i := range 50_000 {
		p := []byte{byte(i), byte(i >> 8), 7, byte(i >> 16)}
		want.Write(p)
		if n, err := c.Write(p); n != len(p) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if b := <-got; !bytes.Equal(b, want.Bytes()) {
		t.Errorf("%d of %d bytes arrived, or not in order", len(b), want.Len())
	}
	if _, err := c.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write after Close: %v, want %v", err, net.ErrClosed)
	}
}

// TestABrokenConnectionIsReported: an error of the network is returned by a later write.
func TestABrokenConnectionIsReported(t *testing.T) {
	near, far := pair(t)
	c := newBuffered(near)
	defer c.Close()
	far.Close()
	near.Close()
	mqtttest.Until(t, "an error", func() bool { _, err := c.Write([]byte("x")); return err != nil })
}

// pair returns the two ends of a TCP connection.
func pair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}
