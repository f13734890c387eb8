package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/shared/scan"
)

func TestPropose(t *testing.T) {
	got, err := Propose("shellies/attic plug/status", []byte(`{"power":12.5,"relay":"ON","meter":{"total":7,"name":"x"},"ts":1795435200,"list":[1,{"v":2}],"device":3}`))
	want := `devices:
  - device: attic-plug
    topic: "shellies/attic plug/status"
    time: $.ts
    fields:
      power_watts: $.power
      relay: $.relay
      meter_total: $.meter.total
      list_0: "$.list[0]"
      list_1_v: "$.list[1].v"
      value_device: $.device
`
	if err != nil || got != want {
		t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(want, got))
	}
	for _, payload := range []string{``, `hello`, `{}`, `{"a":"x"}`, `{"a":`} {
		if got, err := Propose("a/b", []byte(payload)); err == nil {
			t.Errorf("%q: %s", payload, got)
		}
	}
	if got, err := Propose("a/on", []byte(`OFF`)); err != nil || !strings.Contains(got, "value: $") {
		t.Errorf("%s, %v", got, err)
	}
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
		if !ok || err != nil || len(found) != 1 {
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
