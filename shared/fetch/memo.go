package fetch

import (
	"context"
	"sync"
)

const maxMemo = 8 << 20 // bytes of the answers that a memo keeps

// Memo returns a client that sends identical GET requests once. Targets of a run
// that need the same document then share one answer, or one error. The memo keeps
// 8 MiB of answers; a request whose answer it did not keep is sent again. Make a new
// memo for each run.
func (c *Client) Memo() *Client {
	d := *c
	d.memo = &memo{answers: map[[32]byte]func() (*Answer, error){}}
	return &d
}

type memo struct {
	mu      sync.Mutex
	answers map[[32]byte]func() (*Answer, error) // by requestKey
	size    int                                  // bytes of the bodies
}

// once calls get at the first call with key. Later and concurrent calls with the
// same key return the same result, unless it is an answer that was not kept.
func (m *memo) once(key [32]byte, get func() (*Answer, error)) (*Answer, error) {
	m.mu.Lock()
	shared, ok := m.answers[key]
	if !ok {
		shared = sync.OnceValues(func() (*Answer, error) {
			a, err := get()
			m.keep(key, a)
			return a, err
		})
		m.answers[key] = shared
	}
	m.mu.Unlock()
	return shared()
}

// keep forgets an answer that would exceed maxMemo.
func (m *memo) keep(key [32]byte, a *Answer) {
	if a == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.size+len(a.Body) > maxMemo {
		delete(m.answers, key)
		return
	}
	m.size += len(a.Body)
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

// Chosen returns a client for an address that an upstream chose, such as a link in its answer.
// As with a redirect, one in a private network is an error.
func (c *Client) Chosen() *Client {
	d := *c
	d.chosen = true
	return &d
}

// Most returns a client for which an answer that has more than n bytes when it is
// decompressed is an error, instead of 10 MiB. The caller checks what it costs to decode an
// answer; without Most, one with more than 100,000 values is an error, too. The new client
// shares c's memo and cache.
func (c *Client) Most(n int) *Client {
	d := *c
	d.most, d.any = n, true
	return &d
}
