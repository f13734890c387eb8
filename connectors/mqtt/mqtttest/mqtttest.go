// Package mqtttest provides an OpenFaaS gateway whose functions are Go funcs, for the
// tests of the connector.
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

// Gateway is an OpenFaaS gateway over HTTP. Its methods are safe for concurrent use.
type Gateway struct {
	*httptest.Server
	Listings atomic.Int64 // how often its list of functions was requested

	mu    sync.Mutex
	list  []types.FunctionStatus
	serve map[string]Func
	down  bool
}

// Func is a function. It answers a call with an HTTP status and a body.
type Func func(Call) (status int, body string)

// Call is one call of a function.
type Call struct {
	Header http.Header
	Body   string
	Topics []string // of the events of a batch, else nil
	IDs    []string // the same
	Data   []string // the same
}

// NewGateway starts a gateway without functions, which serves until the test ends.
func NewGateway(t testing.TB) *Gateway {
	t.Helper()
	g := &Gateway{serve: map[string]Func{}}
	g.Server = httptest.NewServer(http.HandlerFunc(g.handle))
	t.Cleanup(g.Close)
	return g
}

func (g *Gateway) handle(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	down, list, serve := g.down, g.list, g.serve[strings.TrimPrefix(r.URL.Path, "/function/")]
	g.mu.Unlock()
	switch {
	case down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/system/functions":
		g.Listings.Add(1)
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

// Deploy adds or replaces a function. If serve is nil, it removes the function. The
// gateway's list does not show that it was replaced; see Replace.
func (g *Gateway) Deploy(name string, annotations map[string]string, serve Func) {
	g.deploy(types.FunctionStatus{Name: name, Annotations: &annotations}, serve)
}

// Replace is Deploy on faasd, whose list shows when the function's container was created.
func (g *Gateway) Replace(name string, annotations map[string]string, serve Func) {
	g.deploy(types.FunctionStatus{Name: name, Annotations: &annotations, CreatedAt: time.Now()}, serve)
}

func (g *Gateway) deploy(f types.FunctionStatus, serve Func) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = slices.DeleteFunc(slices.Clone(g.list), func(old types.FunctionStatus) bool { return f.Name == old.Name })
	delete(g.serve, f.Name)
	if serve != nil {
		g.list = append(g.list, f)
		g.serve[f.Name] = serve
	}
}

// SetDown makes the gateway answer 503 to all requests, or ends that.
func (g *Gateway) SetDown(down bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = down
}

// Tally counts strings, such as payloads. The zero value is ready to use, and safe for
// concurrent use.
type Tally struct {
	mu   sync.Mutex
	seen map[string]int
}

// Add counts each of ps.
func (c *Tally) Add(ps ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	for _, p := range ps {
		c.seen[p]++
	}
}

// N returns the number of different strings.
func (c *Tally) N() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// Seen returns the count of each string.
func (c *Tally) Seen() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.seen)
}

// Until waits until ok returns true. After half a minute it ends the test; what names
// the thing that it waited for.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timeout while waiting for: %s", what)
		}
	}
}

// Next returns the next value of c. It ends the test if none comes within a minute.
func Next[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("timeout while waiting for: %s", what)
		panic("unreachable")
	}
}

// Numbered returns n payloads: m0, m1 and so on.
func Numbered(n int) (ps []string) {
	for i := range n {
		ps = append(ps, fmt.Sprint("m", i))
	}
	return ps
}
