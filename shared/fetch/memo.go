package fetch

import (
	"context"
	"sync"
)

// Memo returns a client on which every question is asked once: targets of a run
// that need the same document share one answer, and one failure.
func (c *Client) Memo() *Client {
	d := *c
	d.memo = &memo{answers: map[[32]byte]func() (*Answer, error){}}
	return &d
}

type memo struct {
	mu      sync.Mutex
	answers map[[32]byte]func() (*Answer, error)
}

func (m *memo) once(key [32]byte, ask func() (*Answer, error)) (*Answer, error) {
	m.mu.Lock()
	get, ok := m.answers[key]
	if !ok {
		get = sync.OnceValues(ask)
		m.answers[key] = get
	}
	m.mu.Unlock()
	return get()
}

// Gate returns a client that asks pass before every request that leaves the
// process, retries too; its error stops the request. A quota is counted here,
// where calls are really made. The memo stays the same.
func (c *Client) Gate(pass func(context.Context) error) *Client {
	d := *c
	d.pass = pass
	return &d
}
