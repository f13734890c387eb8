package mapping

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/scan"
)

func TestPropose(t *testing.T) {
	got, err := Propose("shellies/attic plug/status", []byte(`{"power":12.5,"relay":"ON","door":"open","meter":{"total":7,"name":"x"},"ts":1795435200,"list":[1,{"v":2}],"device":3,"temperature_C":20.5,"motion":"none","mode":"heat","t":"21.5 °C"}`))
	want := `devices:
  - device: "shellies-attic-plug-status-{$.device}"
    topic: "shellies/attic plug/status"
    time: $.ts
    fields:
      power_watts: $.power
      relay: $.relay
      door: {path: $.door, words: {open: 1, closed: 0}}
      meter_total: $.meter.total
      list_0: "$.list[0]"
      list_1_v: "$.list[1].v"
      value_device: $.device
      temperature: {path: $.temperature_C, unit: "°C"}
      motion: {path: $.motion, words: {motion: 1, none: 0}}
      t_celsius: $.t
    text:
      meter_name: $.meter.name
      mode: $.mode
`
	if err != nil || got != want {
		t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(want, got))
	}
	for _, payload := range []string{``, `  `, `{}`, `[]`, `{"a":null}`, `{"a":""}`, `{"a":`, "\x00\x01", "\xff"} {
		if got, err := Propose("a/b", []byte(payload)); err == nil {
			t.Errorf("%q: %s", payload, got)
		}
	}
	for payload, want := range map[string]string{`OFF`: "    fields:\n      value: $\n", `open`: "      value: {path: $, words: {open: 1, closed: 0}}\n", `hello world`: "    text:\n      value: $\n", `"hello"`: "    text:\n      value: $\n"} {
		if got, err := Propose("a/on", []byte(payload)); err != nil || !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s, %v", payload, got, err)
		}
	}
}

// A unit under a key of its own is that of the values that are stored in its unit.
func TestAProposalTakesTheUnitThatThePayloadNames(t *testing.T) {
	for payload, want := range map[string]float64{
		`{"temperature":50,"unit":"°F"}`: 10, `{"unit":"F","temp":50}`: 10, `{"temperature":50,"temp_units":"F"}`: 10, `{"temperature":50,"units":"imperial"}`: 10,
		`{"temperature":10,"unit":"C"}`: 10, `{"temperature":10,"unit":"kW"}`: 10, `{"temperature":"50 °F","unit":"F"}`: 10, `{"power":0.01,"unit":"kW"}`: 10, `{"voltage":10000,"unit":"mV"}`: 10,
	} {
		found := pasted(t, &Proposer{}, "a/b", []byte(payload))
		if len(found.Values) != 1 || found.Values[0].V != want {
			t.Errorf("%s: %+v", payload, found)
		}
	}
}

// TestWordsWithAnOppositeAreProposedAsNumbers: and other words as texts.
func TestWordsWithAnOppositeAreProposedAsNumbers(t *testing.T) {
	for word, want := range map[string]float64{
		"open": 1, "Closed": 0, "ON": 1, "off": 0, "true": 1, "False": 0, "yes": 1, "No": 0, "online": 1, "Offline": 0, "occupied": 1, "free": 0, "vacant": 0, "detected": 1, "clear": 0,
		"wet": 1, "dry": 0, "LOCKED": 1, "unlocked": 0, "home": 1, "away": 0, "not_home": 0, "motion": 1, "present": 1, "absent": 0, "connected": 1, "disconnected": 0,
		"active": 1, "inactive": 0, "enabled": 1, "disabled": 0, "armed": 1, "disarmed": 0, "up": 1, "down": 0, "running": 1, "stopped": 0,
	} {
		payload := []byte(`{"x":"` + word + `"}`)
		found := pasted(t, &Proposer{}, "a/b", payload)
		if len(found.Values) != 1 || found.Values[0].V != want || len(found.Text) != 0 {
			t.Errorf("%s: %+v", word, found)
		}
	}
	for _, payload := range []string{`{"x":"heat"}`, `{"x":"idle"}`, `{"x":"none"}`, `{"x":"ok"}`, `{"x":"left"}`, `{"direction":"up"}`, `{"x":"3 stone"}`, `{"x":"open window"}`, `{"x":"unavailable"}`, `{"x":"unknown"}`} {
		if found := pasted(t, &Proposer{}, "a/b", []byte(payload)); len(found.Values) != 0 || len(found.Text) != 1 {
			t.Errorf("%s: %+v", payload, found)
		}
	}
}

// pasted proposes a block, pastes it into a file, and maps the payload with it.
func pasted(t testing.TB, p *Proposer, topicName string, payload []byte) Found {
	t.Helper()
	block, err := p.Propose(topicName, payload)
	if err != nil {
		t.Fatalf("%s %s: %v", topicName, payload, err)
	}
	s, err := Parse([]byte(block))
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", topicName, payload, err, block)
	}
	found, ok, err := s.Find(topicName, payload)
	if !ok || err != nil || len(found) != 1 {
		t.Fatalf("%s %s: %+v, %v, %v\n%s", topicName, payload, found, ok, err, block)
	}
	return found[0]
}

// payloads are the messages in testdata: topic and payload.
func payloads(t *testing.T) (out [][2]string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/payloads.txt")
	if err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		if topicName, payload, ok := strings.Cut(s.Text(), " "); ok && !strings.HasPrefix(topicName, "#") {
			out = append(out, [2]string{topicName, payload})
		}
	}
	return out
}

// TestEveryProposalMapsItsMessage: every value of the payloads of real devices is mapped,
// without an error, when the block is pasted into hearth.yml; and all blocks can stand in
// one file.
func TestEveryProposalMapsItsMessage(t *testing.T) {
	var file strings.Builder
	file.WriteString("devices:\n")
	one := &Proposer{}
	for i, m := range payloads(t) {
		topicName, payload := m[0], []byte(m[1])
		if strings.Contains(m[1], `{"value":null`) {
			payload = []byte(strings.Replace(m[1], "null", "3", 1))
		}
		found := pasted(t, &Proposer{}, topicName, payload)
		if got, want := len(found.Values)+len(found.Text)+strings.Count(m[1], `"---"`), values(t, payload); got != want && !found.Time.IsZero() && got+1 != want || got > want || got+1 < want {
			t.Errorf("%s: %d of %d values", m, got, want)
		}
		block, err := one.Propose(topicName, payload)
		if err != nil {
			t.Fatal(err)
		}
		body := strings.TrimPrefix(block, "devices:\n")
		head, rest, _ := strings.Cut(body, "\n")
		file.WriteString(strings.ReplaceAll(head, head, "  - device: d"+string(rune('a'+i/26))+string(rune('a'+i%26))) + "\n" + rest)
	}
	s, err := Parse([]byte(file.String()))
	if err != nil {
		t.Fatalf("all in one file: %v\n%s", err, file.String())
	}
	next := &Proposer{Set: s}
	for _, m := range payloads(t) {
		if block, err := next.Propose("other/"+m[0], []byte(m[1])); err == nil {
			body, _, _ := strings.Cut(strings.TrimPrefix(block, "devices:\n"), "\n")
			more := strings.Replace(strings.TrimPrefix(block, "devices:\n"), body, "  - device: other", 1)
			if _, err := Parse([]byte(file.String() + more)); err != nil {
				t.Errorf("after the others: %v\n%s", err, more)
			}
		}
	}
}

// values counts the values of a payload that are not empty.
func values(t *testing.T, payload []byte) (n int) {
	t.Helper()
	var doc any
	if json.Unmarshal(payload, &doc) != nil {
		return 1
	}
	var count func(any)
	count = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, e := range v {
				count(e)
			}
		case []any:
			for _, e := range v {
				count(e)
			}
		case nil:
		case string:
			if v != "" {
				n++
			}
		default:
			n++
		}
	}
	count(doc)
	return n
}

// FuzzPropose proposes a block for any payload: the block is valid and finds the fields
// that it proposes.
func FuzzPropose(f *testing.F) {
	f.Add("a/b", []byte(`{"power":12.5,"relay":"ON","meter":{"a.b":7},"ts":1795435200,"list":[1,{"v":2}],"time":3}`))
	f.Add("/x/1", []byte(`21.5`))
	f.Fuzz(func(t *testing.T, on string, payload []byte) {
		block, err := Propose(on, payload)
		if err != nil || repeats(scan.New(payload)) {
			return
		}
		s, err := Parse([]byte(block))
		if strings.ContainsAny(on, "+#") || on == "" || strings.ToValidUTF8(on, "") != on || strings.ContainsRune(on, 0) {
			return // no topic
		}
		if err != nil {
			t.Fatalf("%q %q: %v\n%s", on, payload, err, block)
		}
		found, ok, err := s.Find(on, payload)
		if !ok || err != nil || len(found) > 1 { // no device, if its only value is not known
			t.Fatalf("%q %q: %v %v %v\n%s", on, payload, found, ok, err, block)
		}
	})
}

// repeats reports whether an object has a key twice: then it is undefined which counts.
func repeats(s *scan.Scanner) (twice bool) {
	switch s.Kind() {
	case scan.Object:
		seen := map[string]bool{}
		s.Object(func(key []byte) error {
			twice = twice || seen[string(key)]
			seen[string(key)] = true
			twice = repeats(s) || twice
			return nil
		})
	case scan.Array:
		s.Array(func(int) error {
			twice = repeats(s) || twice
			return nil
		})
	default:
		s.Skip()
	}
	return twice
}

// TestAProposalSaysWhatItLeavesOut: and keeps multi-line texts and further times.
func TestAProposalSaysWhatItLeavesOut(t *testing.T) {
	long := []byte(`{"gpio":[` + strings.Repeat("1,", 40) + `2],"note":"a\nb","time":"2026-11-23T14:05:06Z","sys":{"time":"2026-11-23T14:05:06Z"}}`)
	found := pasted(t, &Proposer{}, "a/b", long)
	if len(found.Values) != maxIndexes || found.Text["note"] != "a\nb" || found.Text["sys_time"] == "" || found.Time.IsZero() {
		t.Errorf("%+v", found)
	}
	block, _ := Propose("a/b", long)
	if !strings.Contains(block, "    # the message has more: at most 32 elements") {
		t.Error(block)
	}
}

func TestTheTimeOfAClockThatIsNotSetIsProposedAsTheTime(t *testing.T) {
	for payload, want := range map[string]bool{
		`{"Time":"1970-01-01T00:00:07","P":1}`: true, `{"time":"2000-01-01 00:00:00","P":1}`: true, `{"ts":1795435200,"P":1}`: true,
		`{"time":7,"P":1}`: false, `{"time":"7","P":1}`: false, `{"time":"13:00","P":1}`: false,
	} {
		got, err := Propose("tele/plug1/SENSOR", []byte(payload))
		if err != nil || strings.Contains(got, "\n    time: $.") != want {
			t.Errorf("%s: %s, %v; a time: %t", payload, got, err, want)
		}
	}
}
