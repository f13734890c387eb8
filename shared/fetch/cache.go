package fetch

import "sync"

const maxCached = 4 << 20 // bytes of all bodies kept for conditional requests

// cache keeps answers for conditional requests (If-None-Match,
// If-Modified-Since). It is safe for concurrent use.
type cache struct {
	mu      sync.Mutex
	answers map[[32]byte]*Answer // by requestKey
	size    int                  // bytes of all bodies
}

func (c *cache) lookup(key [32]byte) *Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[key]
}

// keep adds an answer that has an Etag or a Last-Modified. A cache that is full is
// emptied first.
func (c *cache) keep(key [32]byte, a *Answer) {
	if a.Header.Get("Etag") == "" && a.Header.Get("Last-Modified") == "" || len(a.Body) > maxCached/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.answers[key]; old != nil {
		c.size -= len(old.Body)
	}
	if c.size+len(a.Body) > maxCached {
		clear(c.answers)
		c.size = 0
	}
	c.answers[key] = a
	c.size += len(a.Body)
}
