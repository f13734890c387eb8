package chaos

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clocklessSettings map readings that carry neither a time nor a number. They are
// stored at their time of arrival, so that only the connector can recognise a
// redelivery.
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

// clockless publishes readings without a clock, one after the other. The broker is
// stopped only between two of them (see publishing): a publisher sends an
// unacknowledged reading again, and nobody could tell it from a new one.
type clockless struct {
	publishing sync.RWMutex // held for reading while a reading is in flight
	sent       int
}

// publish publishes readings until stop is set.
func (c *clockless) publish(t testing.TB, p *publisher, stop *atomic.Bool) {
	for !stop.Load() {
		c.publishing.RLock()
		if p.client.IsConnectionOpen() {
			tok := p.client.Publish(fmt.Sprintf("chaos/clockless-%d", c.sent%clocklessDevices), 1, false, fmt.Sprintf(`{"n":%d}`, c.sent+1))
			if !tok.WaitTimeout(patience) || tok.Error() != nil {
				t.Errorf("publish: %v", tok.Error())
				stop.Store(true)
			}
			c.sent++
		}
		c.publishing.RUnlock()
		time.Sleep(clocklessEvery)
	}
}

// verify checks that each number is stored exactly once.
func (c *clockless) verify(h *hearth) {
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
