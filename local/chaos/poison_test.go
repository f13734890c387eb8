package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
)

const poisonEvery = 1000

// poisons are the kinds of messages that sensors rejects for good: invalid JSON, and a
// topic without a mapping. A mapping in hearth.yml fixes the second.
var poisons = []struct {
	reason string // part of it
	fixed  bool   // by fixedSettings
	make   func(n int) (topic, payload string)
}{
	{"JSON: ", false, func(n int) (string, string) {
		return "hearth/sick/sick-1", fmt.Sprintf(`{"device":"sick-1","fields":{%q:%d`, field, n)
	}},
	{"no mapping for topic", true, func(n int) (string, string) { return "chaos/kiln-1", fmt.Sprintf(`{"heat":%d}`, n) }},
}

const fixedSettings = `
devices:
  - topic: chaos/+
    device: "{2}"
    measurement: air
    fields: {` + field + `: $.heat}
`

// TestPoison publishes one message in a thousand that cannot be stored. All others
// must be stored. The poison must become dead letters with a reason, and leave once
// its cause is fixed.
func TestPoison(t *testing.T) {
	h := newHearth(t, layout{watch: "good", settings: "devices: []\n"})
	p, s := h.publisher("edge"), newStream("good", count)
	sent := make([]time.Time, s.n)
	bad := map[string]int{} // by payload: index of its kind in poisons
	p.each(s.n+s.n/poisonEvery, span*2/3, func(i int) (string, string) {
		k := i - (i+1)/(poisonEvery+1) // number of good readings before this message
		if (i+1)%(poisonEvery+1) == 0 {
			kind := len(bad) % len(poisons)
			topic, payload := poisons[kind].make(len(bad) + 1)
			bad[payload] = kind
			return topic, payload
		}
		sent[k] = time.Now()
		return s.topic(k), s.payload(k)
	})
	until(t, "all good readings are stored", func() bool { return h.stored(s.name) >= s.n })
	until(t, "every poisonous message is a dead letter", func() bool { return len(h.dead()) == len(bad) })
	h.verify(s)
	ds, missing := h.influxProxy.delays(s, sent)
	if missing > 0 {
		t.Errorf("%d good readings were in no write request", missing)
	}
	t.Logf("%d good readings with %d poisonous between them: p50 %s, p99 %s, at most %s until the write request",
		s.n, len(bad), quantile(ds, 0.5), quantile(ds, 0.99), quantile(ds, 1))
	h.checkReasons(bad)
	h.awaitMirrored(len(bad))
	h.fixAndReplay(p, bad)
}

// dead lists the connector's dead letters, without payloads.
func (h *hearth) dead() (ds []deadletter.Letter) {
	h.t.Helper()
	h.admin("/dead", &ds)
	return ds
}

func (h *hearth) admin(path string, v any) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://"+h.connector.Addr+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, v)
	}
	if err != nil || res.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s %v: %.200s", path, res.Status, err, body)
	}
}

// checkReasons checks that the dead letters hold the exact bytes of every poisonous
// message, each with its reason.
func (h *hearth) checkReasons(bad map[string]int) {
	h.t.Helper()
	seen := map[string]bool{}
	for _, d := range h.dead() {
		var whole []deadletter.Letter
		h.admin("/dead/"+d.ID, &whole)
		for _, w := range whole {
			kind, known := bad[string(w.Payload)]
			if !known || seen[string(w.Payload)] {
				h.t.Errorf("a dead letter was never sent, or is kept twice: %q", w.Payload)
				continue
			}
			if seen[string(w.Payload)] = true; !strings.Contains(w.Reason, poisons[kind].reason) {
				h.t.Errorf("%q is kept for %q, want %q", w.Payload, w.Reason, poisons[kind].reason)
			}
		}
	}
	if len(seen) != len(bad) {
		h.t.Errorf("%d of %d poisonous messages are kept", len(seen), len(bad))
	}
}

// awaitMirrored waits until the database shows n dead letters.
func (h *hearth) awaitMirrored(n int) {
	h.t.Helper()
	st := h.open()
	until(h.t, fmt.Sprintf("%d dead letters in the database", n), func() bool {
		ds, err := st.DeadLetters(h.t.Context(), n+1)
		return err == nil && len(ds) == n
	})
}

// fixAndReplay first adds the missing mapping: the function then requests the replay of
// those letters by itself. Then it replaces sensors by a function that accepts
// everything, and replays the rest by the command dead replay.
func (h *hearth) fixAndReplay(p *publisher, bad map[string]int) {
	h.t.Helper()
	fixed := 0
	for _, kind := range bad {
		if poisons[kind].fixed {
			fixed++
		}
	}
	h.plant("hearth-settings", fixedSettings)
	s := newStream("after", int(patience/time.Second))
	next := 0
	until(h.t, "the messages that are mapped now are stored", func() bool {
		p.publish(s, next, next+1, 100*time.Millisecond) // the function looks for replays when it is called
		next++
		return h.stored("kiln") == fixed && len(h.dead()) == len(bad)-fixed
	})
	h.awaitMirrored(len(bad) - fixed)

	got := make(chan string, 1000)
	accepting := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var events []struct {
			Replay bool   `json:"mqttreplay"`
			Data   []byte `json:"data_base64"`
		}
		if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
			h.t.Error(err)
		}
		for _, e := range events {
			if e.Replay {
				got <- string(e.Data)
			}
		}
	}))
	defer accepting.Close()
	if err := h.gateway.Kill(); err != nil {
		h.t.Fatal(err)
	}
	h.startGateway(accepting.URL)
	cmd := exec.CommandContext(h.t.Context(), binaries(h.t).connector, "dead", "replay", "-function", functionName)
	cmd.Env = []string{"LISTEN=" + h.connector.Addr, "secret_mount_path=" + h.secrets}
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("dead replay: %v: %s", err, out)
	}
	until(h.t, "no dead letter is left", func() bool { return len(h.dead()) == 0 })
	for range len(bad) - fixed {
		select {
		case payload := <-got:
			if poisons[bad[payload]].fixed {
				h.t.Errorf("replayed %q", payload)
			}
		case <-time.After(patience):
			h.t.Fatalf("a dead letter was not replayed within %s", patience)
		}
	}
}
