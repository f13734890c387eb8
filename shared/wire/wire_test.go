package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestFormatsDoNotChange compares the encoded bytes: spools contain messages of earlier
// versions, and agents of earlier versions still run.
func TestFormatsDoNotChange(t *testing.T) {
	at := time.Date(2026, 11, 23, 14, 5, 6, 123000000, time.UTC)
	for want, v := range map[string]any{
		`{"device":"office-air","sensor":"sds011","time":"2026-11-23T14:05:06.123Z","boot":"9f3c2a1b","seq":1234,"fields":{"pm2_5_ugm3":6.4},"quality":"ok"}`: Reading{
			Device: "office-air", Sensor: "sds011", Time: at.Format(TimeLayout), Boot: "9f3c2a1b", Seq: 1234, Fields: map[string]float64{"pm2_5_ugm3": 6.4}, Quality: "ok"},
		`{"device":"d","sensor":"s","measurement":"m","boot":"b","seq":2,"fields":{},"text":{"a":"b"},"quality":"clock_unsynced","reason":"r","sample":true,"gone":1}`: Reading{
			Device: "d", Sensor: "s", Measurement: "m", Boot: "b", Seq: 2, Fields: map[string]float64{}, Text: map[string]string{"a": "b"}, Quality: "clock_unsynced", Reason: "r", Sample: true, Gone: 1},
		`{"state":"online","boot":"b","time":"2026-11-23T14:05:06.123Z","simulated":1}`: NodeStatus{State: Online, Boot: "b", Time: at.Format(TimeLayout), Simulated: 1},
		`{"boot":"b","seq":7}`: StoredUpTo{Boot: "b", Seq: 7},
		`{"rejected":[{"id":"a","reason":"x"}],"retry":[],"stored":{"n":{"boot":"b","seq":7}},"replay":[{"topic":"a/#"}],"drop":[{"function":"f","id":"i"}]}`: Answer{
			Rejected: []Refusal{{"a", "x"}}, Retry: []Refusal{}, Stored: map[string]StoredUpTo{"n": {"b", 7}}, Replay: []Pick{{Topic: "a/#"}}, Drop: []Pick{{Function: "f", ID: "i"}}},
		`{"id":"a","function":"f","topic":"t","reason":"r","first":"2026-11-23T14:05:06.123Z","last":"2026-11-23T14:05:06.123Z","count":2,"arrival":5,"qos":1,"retained":false,"size":3,"sample_base64":"eA=="}`: DeadNotice{
			ID: "a", Function: "f", Topic: "t", Reason: "r", First: at, Last: at, Count: 2, Arrival: 5, QoS: 1, Size: 3, Excerpt: []byte("x")},
		`{"n":17,"sent":"2026-11-23T14:05:06.123Z"}`: CanaryNote{17, at},
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("%T is\n%s, want\n%s (%v)", v, got, want, err)
		}
	}
}

func TestABatchIsDecodedAsItWasEncoded(t *testing.T) {
	message := rapid.Custom(func(t *rapid.T) Message {
		return Message{
			ID: rapid.StringN(1, 12, -1).Draw(t, "id"), Topic: rapid.StringN(1, 40, -1).Draw(t, "topic"),
			Time:    time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(t, "time")).UTC(),
			Payload: rapid.SliceOf(rapid.Byte()).Draw(t, "payload"), QoS: rapid.ByteRange(0, 2).Draw(t, "qos"),
			Retained: rapid.Bool().Draw(t, "retained"), Replay: rapid.Bool().Draw(t, "replay"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.SliceOfN(message, 0, 5).Draw(t, "ms")
		b := AppendBatch(nil, slices.Values(ms))
		if !json.Valid(b) {
			t.Fatalf("not JSON: %s", b)
		}
		got, err := decode(bytes.Clone(b))
		if err != nil || !cmp.Equal(got, ms, cmp.Comparer(bytes.Equal)) {
			t.Errorf("%s\ndecoded: %+v, %v; want %+v", b, got, err, ms)
		}
	})
}

func TestAStreamIsTheBatchOfOneMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Message{ID: "a\u00e9", Topic: rapid.StringN(1, 40, -1).Draw(t, "topic"), Time: time.Unix(1, 2).UTC(), QoS: 1,
			Payload: bytes.Repeat([]byte{0, 1, 'x', 0xff, 7}, rapid.IntRange(0, 5000).Draw(t, "length"))}
		m.Payload = m.Payload[min(len(m.Payload), rapid.IntRange(0, 4).Draw(t, "less")):]
		want := AppendBatch(nil, slices.Values([]Message{m}))
		r, n := Stream(m)
		got, err := io.ReadAll(iotest.OneByteReader(r))
		if err != nil || !bytes.Equal(got, want) || n != int64(len(want)) {
			t.Fatalf("%v: %d bytes, said to be %d:\n%.300s\nwant %d:\n%.300s", err, len(got), n, got, len(want), want)
		}
	})
}

func TestABatchIsNoLargerThanTheSizesOfItsMessages(t *testing.T) {
	m := Message{ID: "zik0zj0zikzj", Topic: "hearth/node/device", Time: time.Unix(1<<33, 123456789).UTC(), Payload: []byte("four"), Replay: true}
	if b, most := AppendBatch(nil, slices.Values([]Message{m, m})), 2*Size(m.Topic, m.Payload); len(b) > most {
		t.Errorf("%d bytes, want at most %d", len(b), most)
	}
}

func TestASingleMessageIsReadAsItWasWritten(t *testing.T) {
	m := Message{ID: "a1", Topic: "x/é", Time: time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC), Payload: []byte{0, 0xff}, Retained: true}
	h := http.Header{}
	Header(h, &m)
	got, err := Read(h, m.Payload)
	if err != nil || !cmp.Equal(got, []Message{m}) {
		t.Errorf("%v read as %+v, %v; want %+v", h, got, err, m)
	}
	if _, err := Read(http.Header{"X-Topic": {"x"}}, nil); err == nil {
		t.Error("a message without id and time was accepted")
	}
}

func TestParseReadsHearthsTopics(t *testing.T) {
	type parsed struct {
		Kind Kind
		Name string
	}
	for topic, want := range map[string]parsed{
		ReadingTopic("pi4", "office-air"): {Edge, "pi4"}, StatusTopic("pi4"): {Status, "pi4"}, StoredTopic("pi4"): {Stored, "pi4"},
		DeadPrefix + "1abc": {Dead, "1abc"}, CanaryPrefix + "main": {Canary, "main"},
		"hearth/pi4": {}, "hearth/pi4/a/b": {}, "house/pi4/a": {}, "hearth": {}, "": {},
	} {
		if k, name := Parse(topic); (parsed{k, name}) != want {
			t.Errorf("Parse(%q) = %v, %q; want %v", topic, k, name, want)
		}
	}
}

func TestTheStatusOfAnyAgentIsDecoded(t *testing.T) {
	type status struct {
		Online  bool
		Boot    string
		Numbers map[string]float64
		Problem string
	}
	for payload, want := range map[string]*status{
		"online": {Online: true}, "Offline": {},
		`{"state":"online","boot":"b","simulated":1,"dropped":3}`: {true, "b", map[string]float64{"simulated": 1, "dropped": 3}, ""},
		`{"state":"offline","problem":"it hangs"}`:                {Problem: "it hangs"}, `{"state":"offline","problem":3}`: {Numbers: map[string]float64{"problem": 3}},
		`{"status":"OFFLINE","list":[1]}`: {}, `{"online":true}`: {Online: true},
		"": nil, "up": nil, `{"state":"up"}`: nil, `{"state":"online"`: nil, `{"online":1}`: nil,
	} {
		s, numbers, err := DecodeStatus([]byte(payload))
		if want == nil {
			if err == nil {
				t.Errorf("%q was accepted", payload)
			}
		} else if got := (status{s.State == Online, s.Boot, numbers, s.Problem}); err != nil || !cmp.Equal(got, *want) {
			t.Errorf("%q decoded: %+v, %v; want %+v", payload, got, err, *want)
		}
	}
}

func TestParseSubscriptionReadsAllAnnotations(t *testing.T) {
	for name, tt := range map[string]struct {
		notes map[string]string
		want  Subscription
		wrong bool
	}{
		"one filter":           {map[string]string{"topic": "a/#"}, Subscription{Filters: []string{"a/#"}, Concurrency: 4}, false},
		"more filters":         {map[string]string{"topic": "a/#", "mqtt-topics": "b, /c/+", "mqtt-batch": "500"}, Subscription{Filters: []string{"a/#", "b", "/c/+"}, Batch: 500, Concurrency: 2}, false},
		"cron and MQTT":        {map[string]string{"topic": "cron-function", "mqtt-topics": "b"}, Subscription{Filters: []string{"b"}, Concurrency: 4}, false},
		"cron alone":           {map[string]string{"topic": "cron-function"}, Subscription{}, false},
		"nothing":              {map[string]string{"schedule": "x"}, Subscription{}, false},
		"a mistake":            {map[string]string{"topic": "a/#/b,c", "mqtt-batch": "many"}, Subscription{Filters: []string{"c"}, Concurrency: 4}, true},
		"an exception":         {map[string]string{"topic": "#", "mqtt-topics": "!zigbee2mqtt/#,!"}, Subscription{Filters: []string{"#"}, Except: []string{"zigbee2mqtt/#"}, Concurrency: 4}, true},
		"reply and parallel":   {map[string]string{"topic": "a", "mqtt-reply": "r", "mqtt-concurrency": "3"}, Subscription{Filters: []string{"a"}, Reply: "r", Concurrency: 3}, false},
		"no topic to reply on": {map[string]string{"topic": "a", "mqtt-reply": "r/#"}, Subscription{Filters: []string{"a"}, Concurrency: 4}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSubscription(tt.notes)
			if !cmp.Equal(got, tt.want) || (err != nil) != tt.wrong {
				t.Errorf("%+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func TestInvalidFiltersAreAnError(t *testing.T) {
	good, except, err := parseFilters("zigbee2mqtt/#, a/#/b ,/iot/+, !iot/x/#,!")
	if len(good) != 2 || len(except) != 1 || except[0] != "iot/x/#" || err == nil {
		t.Errorf("parseFilters = %q, %q, %v; want two filters, one exception and an error", good, except, err)
	}
}
