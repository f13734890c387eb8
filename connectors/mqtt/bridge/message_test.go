package bridge

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/spool"
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

func TestAMessageComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "m")
		got, err := decode(m.append(nil))
		if err != nil || !cmp.Equal(got, m, cmp.Comparer(bytes.Equal)) {
			t.Errorf("decode = %+v, %v; want %+v", got, err, m)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add((&Message{Topic: "a/b", Payload: []byte("x"), Only: "f"}).append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err == nil && len(m.Payload)+len(m.Topic) > len(b) {
			t.Errorf("decoded more than there was: %+v", m)
		}
	})
}

func TestABatchIsCloudEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.SliceOfN(messages(), 1, 5).Draw(t, "ms")
		var items []*item
		for _, m := range ms {
			items = append(items, &item{Message: m})
		}
		var events []struct {
			Specversion, Type, Source, ID, Subject string
			Time                                   time.Time
			Mqttqos                                byte
			Mqttretained                           bool
			Data                                   []byte `json:"data_base64"`
		}
		b := appendBatch(nil, items)
		if err := json.Unmarshal(b, &events); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		for i, e := range events {
			m := ms[i]
			if e.Specversion != "1.0" || e.Type != "mqtt.message" || e.Source == "" || e.ID != m.ID() || e.Subject != m.Topic ||
				!e.Time.Equal(m.Time()) || e.Mqttqos != m.QoS || e.Mqttretained != m.Retained || !bytes.Equal(e.Data, m.Payload) {
				t.Errorf("event %+v, want %+v", e, m)
			}
		}
	})
}

func TestTheWindowCommitsWithoutGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		state := map[spool.Seq]bool{}
		first := spool.Seq(rapid.IntRange(1, 50).Draw(t, "first"))
		next := first
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "add") {
				skip := spool.Seq(rapid.IntRange(0, 2).Draw(t, "skip"))
				if next == first {
					skip = 0
				}
				for range skip {
					state[next] = true
					next++
				}
				done := rapid.Bool().Draw(t, "done")
				w.add(next, done)
				state[next] = done
				next++
			} else if next > first {
				seq := first + spool.Seq(rapid.IntRange(0, int(next-first)-1).Draw(t, "seq"))
				w.finish(seq)
				state[seq] = true
			}
			want := first
			for want < next && state[want] {
				want++
			}
			if low, any := w.low(); next > first && (!any || low != want-1) {
				t.Fatalf("low = %d, %v; want %d", low, any, want-1)
			}
			idle := true
			for _, done := range state {
				idle = idle && done
			}
			if w.idle() != idle {
				t.Fatalf("idle = %v, want %v", w.idle(), idle)
			}
		}
	})
}
