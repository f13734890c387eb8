package mqttclient

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
	server "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// chunks is a connection whose reads return these bytes, in pieces of random sizes.
type chunks struct {
	net.Conn
	left []byte
	size func() int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.size())], c.left)
	c.left = c.left[n:]
	return n, nil
}

// encoded returns the bytes of packets.
func encoded(t rapid.TB, ps ...packets.ControlPacket) []byte {
	var b bytes.Buffer
	for _, p := range ps {
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// published returns a PUBLISH packet.
func published(topic string, id uint16, qos byte, dup, retain bool, payload []byte) *packets.PublishPacket {
	return &packets.PublishPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Publish, Qos: qos, Dup: dup, Retain: retain}, TopicName: topic, MessageID: id, Payload: payload}
}

// TestLargePayloadsAreCut compares what the MQTT library reads with what was sent, for
// random packets that arrive and are read in pieces of random sizes.
func TestLargePayloadsAreCut(t *testing.T) {
	const most = 1000
	rapid.Check(t, func(t *rapid.T) {
		var sent []packets.ControlPacket
		for range rapid.IntRange(1, 12).Draw(t, "packets") {
			id := rapid.Uint16Min(1).Draw(t, "id")
			switch rapid.IntRange(0, 4).Draw(t, "type") {
			case 0:
				sent = append(sent, &packets.PubackPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Puback, RemainingLength: 2}, MessageID: id})
			default:
				topic := strings.Repeat("t", rapid.SampledFrom([]int{1, 9, 127, 128, 990, 1500}).Draw(t, "topic"))
				size := rapid.SampledFrom([]int{0, 1, 120, 128, 900, most - 1, most, most + 1, 5000, aliveSpan, 3*aliveSpan + 17}).Draw(t, "size")
				payload := bytes.Repeat([]byte{'a', 'b', byte(id)}, size/3+1)[:size]
				sent = append(sent, published(topic, id, byte(rapid.IntRange(0, 2).Draw(t, "qos")), rapid.Bool().Draw(t, "dup"), rapid.Bool().Draw(t, "retain"), payload))
			}
		}
		in := newSkipper(&chunks{left: encoded(t, sent...), size: func() int { return rapid.SampledFrom([]int{1, 2, 3, 100, 5000, 1 << 20}).Draw(t, "piece") }}, most)
		out := &chunks{size: func() int { return rapid.SampledFrom([]int{1, 2, 7, 1 << 20}).Draw(t, "read") }}
		read := readerFunc(func(p []byte) (int, error) { return in.Read(p[:min(len(p), out.size())]) })
		for _, want := range sent {
			checkNext(t, read, want, most)
		}
		if p, err := packets.ReadPacket(read); err != io.EOF {
			t.Fatalf("after the last packet: %v, %v", p, err)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// checkNext reads the packet that was sent as want. Before a large one there are signs of
// life.
func checkNext(t *rapid.T, r io.Reader, want packets.ControlPacket, most int) {
	got, err := packets.ReadPacket(r)
	alive := 0
	for ; err == nil && got.String() == "PINGRESP: dup: false qos: 0 retain: false rLength: 0"; alive++ {
		got, err = packets.ReadPacket(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	w, ok := want.(*packets.PublishPacket)
	if !ok {
		if got.Details() != want.Details() || alive > 0 {
			t.Fatalf("got %v, want %v", got, want)
		}
		return
	}
	g, ok := got.(*packets.PublishPacket)
	if !ok {
		t.Fatalf("got %v, want a PUBLISH", got)
	}
	payload, size := Cut(g.Payload)
	kept, wantAlive := w.Payload, 0
	if len(kept) > most {
		kept = kept[:most]
		wantAlive = (len(w.Payload) - most + aliveSpan - 1) / aliveSpan
	}
	if g.TopicName != w.TopicName || g.Qos != w.Qos || g.Dup != w.Dup || g.Retain != w.Retain || g.Qos > 0 && g.MessageID != w.MessageID {
		t.Fatalf("got %v, want %v", g.FixedHeader, w.FixedHeader)
	}
	if !bytes.Equal(payload, kept) || size != len(w.Payload) || alive != wantAlive {
		t.Fatalf("%d bytes of %d, after %d signs of life; want %d of %d after %d", len(payload), size, alive, len(kept), len(w.Payload), wantAlive)
	}
}

// TestABrokenPacketEndsTheConnection: a packet that ends half-way is not returned as whole,
// and no packet of another type takes much memory.
func TestABrokenPacketEndsTheConnection(t *testing.T) {
	large := encoded(t, published("house/camera", 7, 1, false, false, make([]byte, 200<<10)))
	for name, tc := range map[string]struct {
		sent []byte
		want error
	}{
		"cut in its length":       {large[:2], io.ErrUnexpectedEOF},
		"cut in its topic":        {large[:9], io.ErrUnexpectedEOF},
		"cut in what is kept":     {large[:30<<10], io.ErrUnexpectedEOF},
		"cut in what is skipped":  {large[:len(large)-1], io.ErrUnexpectedEOF},
		"nothing":                 {nil, io.EOF},
		"a length of five bytes":  {[]byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01}, nil},
		"a CONNACK of 256 MB":     {[]byte{0x20, 0xff, 0xff, 0xff, 0x7f, 0, 0}, nil},
		"a SUBACK of 100 KB":      {[]byte{0x90, 0xa0, 0x8d, 0x06, 0, 1}, nil},
		"an unknown type, 256 MB": {[]byte{0xf0, 0xff, 0xff, 0xff, 0x7f, 0, 0}, nil},
	} {
		_, err := io.Copy(io.Discard, newSkipper(&chunks{left: tc.sent, size: func() int { return 1 << 20 }}, 100<<10))
		if tc.want == io.EOF && err == nil {
			continue // io.Copy returns no EOF
		}
		if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

// TestNoSenderCanClaimACut: a payload that ends like a cut one of another process is whole.
func TestNoSenderCanClaimACut(t *testing.T) {
	for _, p := range []string{"", "x", mark, strings.Repeat("A", len(mark)) + "\x00\x00\x00\x00\x00\x00\xff\xff", mark + "1234567"} {
		if payload, size := Cut([]byte(p)); string(payload) != p || size != len(p) {
			t.Errorf("%q: %q of %d bytes", p, payload, size)
		}
	}
}

// TestTheLargestMessageIsCut: it is received without its size in memory, and the messages
// around it whole, with and without TLS.
func TestTheLargestMessageIsCut(t *testing.T) {
	cert, key := selfSigned(t, "broker")
	secure := free.Addr(t)
	_, port, _ := net.SplitHostPort(secure)
	broker := testserver.OwnMosquitto(t, 0, "listener "+port+" 127.0.0.1", "certfile "+cert, "keyfile "+key)
	for address, ca := range map[string]string{"tcp://" + broker.Addr: "", "ssl://" + secure: cert} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		checkCut(t, Access{URL: address, ClientID: "c", CAFile: ca}, broker.Addr, testserver.LargestPayload)
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 16<<20 {
			t.Errorf("%s: %d MiB allocated", address, (after.TotalAlloc-before.TotalAlloc)>>20)
		}
	}
}

// TestALargeMessageIsCutOverAWebsocket is on another broker: Mosquitto 2.0.11 ends a
// websocket instead of sending 9 MB.
func TestALargeMessageIsCutOverAWebsocket(t *testing.T) {
	s := server.New(&server.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		t.Fatal(err)
	}
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	ws := listeners.NewWebsocket(listeners.Config{ID: "ws", Address: free.Addr(t)})
	for _, l := range []listeners.Listener{tcp, ws} {
		if err := s.AddListener(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	checkCut(t, Access{URL: "ws://" + ws.Address(), ClientID: "c"}, tcp.Address(), 20<<20)
}

// checkCut publishes a message of size bytes at the broker addr between two small ones, and
// receives them by a.
func checkCut(t *testing.T, a Access, addr string, size int) {
	t.Helper()
	o, err := a.Options()
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan []byte, 9)
	c := mqtt.NewClient(o.SetAutoReconnect(false).SetConnectRetry(true).SetConnectRetryInterval(50 * time.Millisecond)) // the websocket may listen a moment later
	if tok := c.Connect(); !tok.WaitTimeout(20*time.Second) || tok.Error() != nil {
		t.Fatal(a.URL, tok.Error())
	}
	defer c.Disconnect(0)
	c.Subscribe("x", 1, func(_ mqtt.Client, m mqtt.Message) { received <- m.Payload() }).WaitTimeout(20 * time.Second)
	next := func(want int) {
		t.Helper()
		select {
		case p := <-received:
			if payload, n := Cut(p); n != want || len(payload) != min(want, keptPayload) {
				t.Errorf("%s: %d of %d bytes, want %d", a.URL, len(payload), n, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: no message of %d bytes", a.URL, want)
		}
	}
	c.Publish("x", 1, false, "before")
	next(len("before"))
	testserver.PublishLarge(t, addr, "x", size, 1, false)
	next(size)
	c.Publish("x", 1, false, "behind it")
	next(len("behind it"))
}
