package message

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func messages() *rapid.Generator[Message] {
	return rapid.Custom(func(t *rapid.T) Message {
		return Message{
			Arrival: rapid.Int64Range(0, 1<<62).Draw(t, "arrival"), Topic: rapid.String().Draw(t, "topic"),
			Payload: rapid.SliceOf(rapid.Byte()).Draw(t, "payload"), Packet: rapid.Uint16().Draw(t, "packet"),
			QoS: rapid.ByteRange(0, 2).Draw(t, "qos"), Retained: rapid.Bool().Draw(t, "retained"),
			Replayed: rapid.Bool().Draw(t, "replayed"), Only: rapid.StringN(0, 40, 200).Draw(t, "only"),
		}
	})
}

func TestDecodeIsTheInverseOfEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "m")
		got, err := Decode(m.Encode())
		if err != nil || !cmp.Equal(got, m, cmp.Comparer(bytes.Equal)) {
			t.Errorf("Decode = %+v, %v; want %+v", got, err, m)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add((&Message{Topic: "a/b", Payload: []byte("x"), Only: "f"}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err == nil && len(m.Payload)+len(m.Topic) > len(b) {
			t.Errorf("decoded more than there was: %+v", m)
		}
	})
}
