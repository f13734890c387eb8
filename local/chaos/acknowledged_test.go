package chaos

import (
	"encoding/json"
	"strings"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// checkAcknowledged checks that hearth/<node>/stored acknowledges every reading of
// every node (design: end-to-end acknowledgement).
func (h *hearth) checkAcknowledged(s stream) {
	h.t.Helper()
	var mu sync.Mutex
	stored := map[string]uint64{} // by node: its readings up to this number are stored
	p := h.publisher("subscriber")
	defer p.client.Disconnect(100)
	tok := p.client.Subscribe("hearth/+/stored", 1, func(_ mqtt.Client, m mqtt.Message) {
		var upTo struct{ Seq uint64 }
		if json.Unmarshal(m.Payload(), &upTo) == nil {
			mu.Lock()
			defer mu.Unlock()
			stored[strings.Split(m.Topic(), "/")[1]] = upTo.Seq
		}
	})
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		h.t.Fatal("subscribe: ", tok.Error())
	}
	until(h.t, "every reading of every node is acknowledged as stored", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for k := s.n - nodes; k < s.n; k++ {
			if stored[s.node(k)] != uint64(s.seq(k)) {
				return false
			}
		}
		return true
	})
}
