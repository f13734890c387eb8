package deliver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"

	"github.com/hearth-home/hearth/shared/wire"
)

func TestNothingIsLostWhileTheFunctionIsDown(t *testing.T) {
	for name, code := range map[string]int{"no such function": 404, "store down": 503, "not now": 429, "broken": 500, "bad gateway": 502} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := mqtttest.NewGateway(t)
			var got, tried mqtttest.Tally
			var ok bool
			var mu sync.Mutex
			g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
				mu.Lock()
				defer mu.Unlock()
				tried.Add(c.Data...)
				if !ok {
					return code, "not now"
				}
				got.Add(c.Data...)
				return 200, ""
			})
			b, _ := start(t, g, t.TempDir())
			b.waitSubscribed("f")
			b.put("house/x", mqtttest.Numbered(300)...)
			mqtttest.Until(t, "a few tries", func() bool { return tried.N() > 0 && b.all()[0].called.Load() > 8 })
			mu.Lock()
			ok = true
			mu.Unlock()
			mqtttest.Until(t, "all 300", func() bool { return got.N() == 300 })
			if n := b.dead(); n != 0 {
				t.Errorf("%d dead letters, want none: no message succeeded", n)
			}
		})
	}
}

func TestMessagesBeforeTheFirstListAreDelivered(t *testing.T) {
	g, dir := mqtttest.NewGateway(t), t.TempDir()
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	g.SetDown(true)
	b, stop := start(t, g, dir)
	b.put("house/x", "early")
	stop()
	b, _ = start(t, g, dir)
	b.put("house/x", "later")
	g.SetDown(false)
	mqtttest.Until(t, "both messages", func() bool { return got.N() == 2 })
}

func TestDeliveryContinuesAfterAGatewayOutage(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) { got.Add(c.Data...); return 200, "" })
	g.SetDown(true)
	b, _ := start(t, g, t.TempDir())
	g.SetDown(false)
	b.waitSubscribed("f")
	b.put("house/x", "a")
	mqtttest.Until(t, "a", func() bool { return got.N() == 1 })
	g.SetDown(true)
	b.put("house/x", "b")
	mqtttest.Until(t, "a failure", func() bool { return b.all()[0].failures.Load() > 0 })
	g.SetDown(false)
	mqtttest.Until(t, "b", func() bool { return got.N() == 2 })
	g.Deploy("late", map[string]string{"topic": "late/#"}, func(c mqtttest.Call) (int, string) { got.Add(c.Body); return 200, "" })
	b.waitSubscribed("f", "late")
	b.put("late/x", "c")
	mqtttest.Until(t, "c", func() bool { return got.N() == 3 })
	g.Deploy("late", nil, nil)
	b.waitSubscribed("f")
}

// TestALetterThatCannotBeWrittenHoldsUpNoOther: its message stays in the spool, and
// becomes a dead letter once that can be written.
func TestALetterThatCannotBeWrittenHoldsUpNoOther(t *testing.T) {
	g := mqtttest.NewGateway(t)
	var got mqtttest.Tally
	g.Deploy("f", batched, func(c mqtttest.Call) (int, string) {
		var a wire.Answer
		for i, d := range c.Data {
			if strings.HasSuffix(d, "3") {
				a.Rejected = append(a.Rejected, wire.Refusal{ID: c.IDs[i], Reason: "no"})
			} else {
				got.Add(d)
			}
		}
		b, _ := json.Marshal(a)
		return 207, string(b)
	})
	dir := t.TempDir()
	b, _ := start(t, g, dir)
	b.waitSubscribed("f")
	folder := filepath.Join(dir, "dead")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	b.put("house/x", mqtttest.Numbered(100)...)
	mqtttest.Until(t, "the good messages", func() bool { return got.N() == 90 })
	mqtttest.Until(t, "a letter that cannot be written", func() bool { return b.letters.Stats().Unkept > 0 })
	if s := b.letters.Stats(); s.Letters != 0 {
		t.Errorf("%+v without a folder", s)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	mqtttest.Until(t, "the dead letters", func() bool { return b.dead() == 10 })
	for p, n := range got.Seen() {
		if n != 1 {
			t.Errorf("%s stored %d times", p, n)
		}
	}
}
