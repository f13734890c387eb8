package testserver

import (
	"bufio"
	"io"
	"net"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// LargestPayload is the size in bytes of the largest message of MQTT with a short topic. A
// packet has at most 268,435,455 bytes after its fixed header (MQTT 3.1.1, 2.2.3).
const LargestPayload = 1<<28 - 1 - 200

// PublishLarge publishes a message of size bytes at a short topic. It does not hold it in
// memory, and returns when the broker has it. size is from 2^21 to LargestPayload.
func PublishLarge(t testing.TB, addr, topic string, size int, qos byte, retain bool) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in, out := bufio.NewReader(c), bufio.NewWriterSize(c, 1<<20)
	exchange := func(p packets.ControlPacket) {
		t.Helper()
		if p != nil {
			if err := p.Write(out); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		if _, err := packets.ReadPacket(in); err != nil {
			t.Fatal(err)
		}
	}
	exchange(&packets.ConnectPacket{FixedHeader: packets.FixedHeader{MessageType: packets.Connect}, ProtocolName: "MQTT", ProtocolVersion: 4, CleanSession: true, ClientIdentifier: "large", Keepalive: 600})
	writeLarge(t, out, topic, size, qos, retain)
	switch qos {
	case 0:
		exchange(packets.NewControlPacket(packets.Pingreq))
	case 1:
		exchange(nil)
	case 2:
		exchange(nil)
		release := packets.NewControlPacket(packets.Pubrel).(*packets.PubrelPacket)
		release.MessageID = 9
		exchange(release)
	}
}

// writeLarge writes the PUBLISH packet, with the packet id 9.
func writeLarge(t testing.TB, out io.Writer, topic string, size int, qos byte, retain bool) {
	t.Helper()
	head := append([]byte{0, byte(len(topic))}, topic...)
	if qos > 0 {
		head = append(head, 0, 9)
	}
	n := len(head) + size
	first := byte(packets.Publish<<4) | qos<<1
	if retain {
		first |= 1
	}
	head = append([]byte{first, byte(n) | 0x80, byte(n>>7) | 0x80, byte(n>>14) | 0x80, byte(n >> 21)}, head...)
	if _, err := out.Write(head); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for left := size; left > 0; left -= min(left, len(zeros)) {
		if _, err := out.Write(zeros[:min(left, len(zeros))]); err != nil {
			t.Fatal(err)
		}
	}
}
