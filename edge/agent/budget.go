package agent

import "time"

// budget is a token bucket: rate tokens a second, a tenth of a second's rate at most.
// Each backlog reading costs one.
type budget struct{ rate, tokens float64 }

func (b *budget) refill(passed time.Duration) {
	b.tokens = min(b.tokens+passed.Seconds()*b.rate, max(b.rate/10, 1))
}
