package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/openfaas/go-sdk/stack"
)

// payloads are MQTT messages that are costly to decode, by function and topic.
func payloads() map[string]map[string][]string {
	fill := func(begin, s, end string) string {
		return begin + strings.Repeat(s, (4<<20-len(begin)-len(end))/len(s)) + end
	}
	deep := []string{fill("", "[", ""), fill("", `{"a":`, ""), fill(`{"fields":`, `{"a":`, "")}
	wide := []string{fill("[0", ",0", "]"), fill("[{}", ",{}", "]"), fill(`{"a":0`, `,"a":0`, "}"), fill(`[""`, `,""`, "]"), strings.Repeat("1", 4<<20), `"` + strings.Repeat("x", 4<<20-2) + `"`}
	names := []string{`{"device":"d","fields":{"a0":1`, `{"a0":1`}
	for i, begin := range names {
		var b strings.Builder
		b.WriteString(begin)
		for n := 1; b.Len() < 4<<20-100; n++ {
			b.WriteString(`,"a` + strconv.Itoa(n) + `":1`)
		}
		names[i] = b.String() + strings.Repeat("}", 2-i)
	}
	every := slices.Concat(deep, wide, names)
	return map[string]map[string][]string{
		"sensors": {"hearth/pi/desk": every, "hearth/pi/status": every, "hearth/canary/c": every, "hearth/dead/x": every, "telegraf/host/cpu": every, "other/x": every},
		"zigbee": {"zigbee2mqtt/bridge/devices": append(slices.Clone(every), fill(`[{"ieee_address":"0x1","friendly_name":"x","definition":{"exposes":[{}`, ",{}", "]}}]"),
			fill(`[{"ieee_address":"0x1","friendly_name":"x","definition":{"exposes":[0`, ",0", "]}}]"), fill(`[{"definition":{"exposes":[`, `{"features":[`, ""), `[{"ieee_address":"0x1","friendly_name":"x","definition":{"exposes":[{}`+strings.Repeat(",{}", 199_000)+"]}}]"),
			"zigbee2mqtt/bridge/groups": every, "zigbee2mqtt/bridge/state": every, "zigbee2mqtt/lamp": every, "zigbee2mqtt/lamp/availability": every},
	}
}

// TestNoPayloadFillsTheContainersMemory: a function that takes messages answers each of
// them, and still runs then.
func TestNoPayloadFillsTheContainersMemory(t *testing.T) {
	list, copied := functions(t)
	for name, topics := range payloads() {
		f := list[slices.IndexFunc(list, func(f stack.Function) bool { return f.Name == name })]
		context := shrinkwrap(t, f, copied)
		dockerignore(t, context)
		s := newFixture(t, f)
		p := start(t, compile(t, context, native(t)), "", s.vars)
		for _, topic := range slices.Sorted(maps.Keys(topics)) {
			for _, payload := range topics[topic] {
				r := request(t, f, p.url, false)
				large, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url, strings.NewReader(payload))
				if err != nil {
					t.Fatal(err)
				}
				large.Header = r.Header
				large.Header.Set("X-Topic", topic)
				large.Header.Set("X-Mqtt-Time", time.Now().UTC().Format(time.RFC3339Nano))
				code, body := call(large)
				if code != http.StatusMultiStatus && code != http.StatusOK {
					t.Errorf("%s: %.60s: %d %.300s", topic, payload, code, body)
				}
			}
		}
		_, peak := p.memory(t)
		t.Logf("%s: at most %d MiB", name, peak>>20)
		if peak >= containerLimit {
			t.Errorf("%s: %d MiB of memory, the container has %d", name, peak>>20, containerLimit>>20)
		}
		p.terminate(t)
		p.awaitExit(t)
	}
}
