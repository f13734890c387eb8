// Package mqtttest is an OpenFaaS gateway whose functions are Go funcs, for the
// connector's tests.
package mqtttest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openfaas/faas-provider/types"
)

// Gateway serves the functions that were deployed.
type Gateway struct {
	*httptest.Server
	Looks atomic.Int64 // how often it was asked for its functions

	mu    sync.Mutex
	list  []types.FunctionStatus
	serve map[string]Func
	away  bool
}

// Func answers a call.
type Func func(Call) (status int, body string)

// Call is what a function got in one call; of a batch, the events.
type Call struct {
	Header http.Header
	Body   string
	Topics []string
	IDs    []string
	Data   []string
}

// NewGateway serves until the test ends.
func NewGateway(t testing.TB) *Gateway {
	t.Helper()
	g := &Gateway{serve: map[string]Func{}}
	g.Server = httptest.NewServer(http.HandlerFunc(g.handle))
	t.Cleanup(g.Close)
	return g
}

func (g *Gateway) handle(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	away, list, serve := g.away, g.list, g.serve[strings.TrimPrefix(r.URL.Path, "/function/")]
	g.mu.Unlock()
	switch {
	case away:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/system/functions":
		g.Looks.Add(1)
		json.NewEncoder(w).Encode(list)
	case serve == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		b, _ := io.ReadAll(r.Body)
		c := Call{Header: r.Header, Body: string(b)}
		var events []struct {
			ID, Subject string
			Data        []byte `json:"data_base64"`
		}
		if r.Header.Get("Content-Type") == "application/cloudevents-batch+json" && json.Unmarshal(b, &events) == nil {
			for _, e := range events {
				c.IDs, c.Topics, c.Data = append(c.IDs, e.ID), append(c.Topics, e.Subject), append(c.Data, string(e.Data))
			}
		}
		code, body := serve(c)
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

// Deploy adds or replaces a function; a nil serve removes it.
func (g *Gateway) Deploy(name string, annotations map[string]string, serve Func) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = slices.DeleteFunc(slices.Clone(g.list), func(f types.FunctionStatus) bool { return f.Name == name })
	delete(g.serve, name)
	if serve != nil {
		g.list = append(g.list, types.FunctionStatus{Name: name, Annotations: &annotations})
		g.serve[name] = serve
	}
}

// SetAway makes the gateway answer 503 to everything.
func (g *Gateway) SetAway(away bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = away
}

// Tally counts payloads.
type Tally struct {
	mu   sync.Mutex
	seen map[string]int
	all  int
}

// Add counts each of ps once more.
func (c *Tally) Add(ps ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	for _, p := range ps {
		c.seen[p]++
	}
	c.all += len(ps)
}

// N is how many different ones there were.
func (c *Tally) N() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// All is how many there were, the same ones too.
func (c *Tally) All() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// Seen is how often each came.
func (c *Tally) Seen() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

// Until waits until ok, at most half a minute.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// Numbered is m0, m1 and so on.
func Numbered(n int) (ps []string) {
	for i := range n {
		ps = append(ps, fmt.Sprint("m", i))
	}
	return ps
}
