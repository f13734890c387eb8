package bridge

import (
	"encoding/json"
	"fmt"
	"io"
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

// faas is an OpenFaaS gateway whose functions are Go funcs.
type faas struct {
	*httptest.Server
	mu    sync.Mutex
	list  []types.FunctionStatus
	serve map[string]func(calledWith) (int, string)
	away  bool
	looks atomic.Int64
}

// calledWith is what a function got in one call.
type calledWith struct {
	Header http.Header
	Body   string
	Topics []string
	IDs    []string
	Data   []string
}

func newFaas(t *testing.T) *faas {
	t.Helper()
	g := &faas{serve: map[string]func(calledWith) (int, string){}}
	g.Server = httptest.NewServer(http.HandlerFunc(g.handle))
	t.Cleanup(g.Close)
	return g
}

func (g *faas) handle(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	away, list, serve := g.away, g.list, g.serve[strings.TrimPrefix(r.URL.Path, "/function/")]
	g.mu.Unlock()
	switch {
	case away:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/system/functions":
		g.looks.Add(1)
		json.NewEncoder(w).Encode(list)
	case serve == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		b, _ := io.ReadAll(r.Body)
		c := calledWith{Header: r.Header, Body: string(b)}
		var events []struct {
			ID, Subject string
			Data        []byte `json:"data_base64"`
		}
		if r.Header.Get("Content-Type") == batchType && json.Unmarshal(b, &events) == nil {
			for _, e := range events {
				c.IDs, c.Topics, c.Data = append(c.IDs, e.ID), append(c.Topics, e.Subject), append(c.Data, string(e.Data))
			}
		}
		code, body := serve(c)
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func (g *faas) deploy(name string, notes map[string]string, serve func(calledWith) (int, string)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = slices.DeleteFunc(slices.Clone(g.list), func(f types.FunctionStatus) bool { return f.Name == name })
	delete(g.serve, name)
	if serve != nil {
		g.list = append(g.list, types.FunctionStatus{Name: name, Annotations: &notes})
		g.serve[name] = serve
	}
}

func (g *faas) setAway(away bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.away = away
}

// tally counts payloads.
type tally struct {
	mu   sync.Mutex
	seen map[string]int
	log  []string
}

func (c *tally) add(ps ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	for _, p := range ps {
		c.seen[p]++
		c.log = append(c.log, p)
	}
}

func (c *tally) n() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// start runs a connector without a broker on a folder; messages are put in as
// the broker would.
func start(t *testing.T, g *faas, dir string) (b *Bridge, stop func()) {
	t.Helper()
	return run(t, g.URL, "127.0.0.1:1", dir)
}

func (b *Bridge) give(topic string, payloads ...string) {
	for _, p := range payloads {
		b.intake.take(incoming{Message: Message{Topic: topic, Payload: []byte(p), QoS: 1}})
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func numbered(n int) (ps []string) {
	for i := range n {
		ps = append(ps, fmt.Sprint("m", i))
	}
	return ps
}

func listening(t *testing.T, b *Bridge, names ...string) {
	t.Helper()
	until(t, "functions", func() bool {
		have := []string{}
		for _, c := range b.all() {
			have = append(have, c.f.Name)
		}
		slices.Sort(have)
		return slices.Equal(have, names)
	})
}
