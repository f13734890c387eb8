package chaos

import (
	"encoding/json"
	"strings"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// acknowledged checks that every node was told that all of its readings are
// stored (design: end-to-end acknowledgement).
func (h *house) acknowledged(s stream) {
	h.t.Helper()
	var mu sync.Mutex
	told := map[string]uint64{}
	p := h.publisher("listener")
	defer p.client.Disconnect(100)
	tok := p.client.Subscribe("hearth/+/stored", 1, func(_ mqtt.Client, m mqtt.Message) {
		var place struct{ Seq uint64 }
		if json.Unmarshal(m.Payload(), &place) == nil {
			mu.Lock()
			defer mu.Unlock()
			told[strings.Split(m.Topic(), "/")[1]] = place.Seq
		}
	})
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		h.t.Fatal("subscribe: ", tok.Error())
	}
	until(h.t, "every node is told that all is stored", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for k := s.n - nodes; k < s.n; k++ {
			if told[s.node(k)] != uint64(s.seq(k)) {
				return false
			}
		}
		return true
	})
}
