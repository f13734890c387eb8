package fetch

import (
	"context"
	"sync"
)

// Memo returns a client that sends identical GET requests once. Targets of a run
// that need the same document then share one answer, or one error. The memo keeps
// all answers: make a new one for each run.
func (c *Client) Memo() *Client {
	d := *c
	d.memo = &memo{answers: map[[32]byte]func() (*Answer, error){}}
	return &d
}

type memo struct {
	mu      sync.Mutex
	answers map[[32]byte]func() (*Answer, error) // by requestKey
}

// once calls get at the first call with key. Later and concurrent calls with the
// same key return the same result.
func (m *memo) once(key [32]byte, get func() (*Answer, error)) (*Answer, error) {
	m.mu.Lock()
	shared, ok := m.answers[key]
	if !ok {
		shared = sync.OnceValues(get)
		m.answers[key] = shared
	}
	m.mu.Unlock()
	return shared()
}

// Gate returns a client that calls allow before each request that it sends, also
// before a retry. If allow returns an error, the request is not sent and Get
// returns that error. This is the place to count a quota: requests answered by the
// memo are not counted. The new client shares c's memo and cache.
func (c *Client) Gate(allow func(context.Context) error) *Client {
	d := *c
	d.allow = allow
	return &d
}
