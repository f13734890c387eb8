package fetch

import "sync"

const maxCached = 4 << 20 // of bodies kept for conditional requests, in all

// cache keeps answers that can be asked for conditionally, by URL and headers.
type cache struct {
	mu      sync.Mutex
	answers map[[32]byte]*Answer
	size    int
}

func (c *cache) lookup(key [32]byte) *Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[key]
}

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
