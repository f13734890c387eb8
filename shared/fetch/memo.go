package fetch

import (
	"context"
	"sync"
)

type memoKey struct{}

// Memo returns a context in which every question is asked once: targets that
// need the same document share one answer, and one failure.
func Memo(ctx context.Context) context.Context {
	return context.WithValue(ctx, memoKey{}, &memo{answers: map[[32]byte]func() (*Answer, error){}})
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

type gateKey struct{}

// Gate returns a context in which pass is asked before every request that
// leaves the process, retries too; its error stops the request. A quota is
// counted here, where calls are really made.
func Gate(ctx context.Context, pass func(context.Context) error) context.Context {
	return context.WithValue(ctx, gateKey{}, pass)
}

func gate(ctx context.Context) error {
	if pass, ok := ctx.Value(gateKey{}).(func(context.Context) error); ok {
		return pass(ctx)
	}
	return nil
}
