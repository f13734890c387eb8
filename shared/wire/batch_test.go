package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

const batch = `[{"specversion":"1.0","type":"mqtt.message","source":"hearth/connector","id":"a1","subject":"x/\u00e9","time":"2026-11-23T12:00:00.123456789Z",
	"mqttqos":1,"mqttretained":true,"mqttreplay":true,"data_base64":"AP8="},{"id":"a2","subject":"y","time":"2026-11-23T12:00:00Z","data":{"a":1}},{"id":"a3","subject":"y","time":"2026-11-23T12:00:00Z"}]`

func TestDecode(t *testing.T) {
	ms, err := decode([]byte(batch))
	if err != nil || len(ms) != 3 {
		t.Fatalf("%+v, %v", ms, err)
	}
	want := Message{ID: "a1", Topic: "x/é", Time: time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC), Payload: []byte{0, 0xff}, QoS: 1, Retained: true, Replay: true}
	if fmt.Sprint(ms[0]) != fmt.Sprint(want) || string(ms[1].Payload) != `{"a":1}` || len(ms[2].Payload) != 0 {
		t.Errorf("%+v", ms)
	}
}

// FuzzDecode compares the decoder with encoding/json and encoding/base64.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(batch))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		whole := bytes.Clone(body)
		ms, err := decode(body)
		if err != nil {
			return
		}
		var want []map[string]json.RawMessage
		if err := json.Unmarshal(whole, &want); err != nil || len(want) != len(ms) {
			t.Fatalf("%q: %d messages; encoding/json decodes %d, %v", whole, len(ms), len(want), err)
		}
		for i, m := range ms {
			var data string
			if raw := want[i]["data_base64"]; raw == nil || want[i]["data"] != nil || json.Unmarshal(raw, &data) != nil {
				continue
			}
			if b, err := base64.StdEncoding.DecodeString(data); err != nil || !bytes.Equal(b, m.Payload) {
				t.Fatalf("%q: payload %q, want %q, %v", whole, m.Payload, b, err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	var body []byte
	for i := range 500 {
		body = fmt.Appendf(body, `,{"specversion":"1.0","type":"mqtt.message","source":"hearth/connector","id":"a%d","subject":"hearth/node/device-%d","time":"2026-11-23T12:00:00.123456789Z","mqttqos":1,"mqttretained":false,"data_base64":%q}`,
			i, i, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 180)))
	}
	body[0] = '['
	body = append(body, ']')
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	work := make([]byte, len(body))
	for b.Loop() {
		copy(work, body)
		if _, err := decode(work); err != nil {
			b.Fatal(err)
		}
	}
}
