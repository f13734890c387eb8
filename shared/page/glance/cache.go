package glance

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// How long what was read is used again.
const (
	forStates  = 0                // latest values of devices: one snapshot
	forSources = 30 * time.Second // what sources have stored, if none has run meanwhile
	forCurves  = 20 * time.Second
	maxKept    = 500 // results
)

// cache keeps what was read of the store across snapshots. It is safe for concurrent use.
type cache struct {
	mu    sync.Mutex
	runs  string // the last run of each function when it was read
	found map[string]*entry
}

type entry struct {
	mu    sync.Mutex
	at    time.Time // world.asked when it was read; zero: it is not read yet
	kind  time.Duration
	value any
	err   error
}

func newCache() *cache { return &cache{found: map[string]*entry{}} }

// renew forgets what sources have stored if one has run since.
func (c *cache) renew(runs string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if runs == c.runs {
		return
	}
	c.runs = runs
	for k, e := range c.found {
		if e.kind == forSources {
			delete(c.found, k)
		}
	}
}

// of returns the entry of a key.
func (c *cache) of(key string, kind time.Duration) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.found[key]
	if e == nil {
		if len(c.found) >= maxKept {
			c.found = map[string]*entry{}
		}
		e = &entry{kind: kind}
		c.found[key] = e
	}
	return e
}

// kept returns what read returns, or what it returned before if that is recent enough. Several
// callers at once share one reading.
func kept[T any](w *world, key string, keep time.Duration, read func() (T, error)) (T, error) {
	if w.Past {
		key += " at " + w.Now.UTC().Format(time.RFC3339)
	}
	e := w.cache.of(key, keep)
	e.mu.Lock()
	defer e.mu.Unlock()
	age := w.asked.Sub(e.at)
	if e.at.IsZero() || e.err != nil && age != 0 || age < 0 || age > keep {
		e.value, e.err = read()
		e.at = w.asked
	}
	v, _ := e.value.(T)
	return v, e.err
}

// keyOf returns a text that is the same for equal queries; the span moves with the steps.
func keyOf(q store.Query) string {
	fields := slices.Sorted(slices.Values(q.Fields))
	from, _ := q.Window(q.From)
	return fmt.Sprint("windows ", q.Name, q.Tags, fields, from.Unix(), q.To.Sub(q.From), q.Step, q.Zone, q.Suspects)
}
