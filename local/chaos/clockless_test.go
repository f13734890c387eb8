package chaos

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clocklessSettings map readings that carry neither time nor number: they are
// kept at their arrival, so that only the connector can know them again.
const clocklessSettings = `
devices:
  - topic: chaos/+
    device: "{2}"
    measurement: air
    fields: {` + field + `: $.n}
`

const (
	clocklessDevices = 5
	clocklessEvery   = 20 * time.Millisecond
)

// clockless publishes such readings one after the other. Whoever stops the
// broker holds still first: what a publisher sends twice comes twice.
type clockless struct {
	still sync.RWMutex
	sent  int
}

// publish goes on until stop is set.
func (c *clockless) publish(t testing.TB, p *publisher, stop *atomic.Bool) {
	for !stop.Load() {
		c.still.RLock()
		if p.client.IsConnectionOpen() {
			tok := p.client.Publish(fmt.Sprintf("chaos/clockless-%d", c.sent%clocklessDevices), 1, false, fmt.Sprintf(`{"n":%d}`, c.sent+1))
			if !tok.WaitTimeout(patience) || tok.Error() != nil {
				t.Errorf("publish: %v", tok.Error())
				stop.Store(true)
			}
			c.sent++
		}
		c.still.RUnlock()
		time.Sleep(clocklessEvery)
	}
}

// verify wants each number once.
func (c *clockless) verify(h *house) {
	h.t.Helper()
	until(h.t, "all readings without a clock are stored", func() bool { return h.stored("clockless") >= c.sent })
	times := map[float64]int{}
	for _, ps := range h.points("clockless") {
		for _, p := range ps {
			times[p.v]++
		}
	}
	for n := range c.sent {
		if got := times[float64(n+1)]; got != 1 {
			h.t.Errorf("reading %d, which has no clock, is stored %d times", n+1, got)
		}
	}
}
