package host

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/hearth-home/hearth/local/stack"
)

// Seed runs a live source once on its samples, so that the page shows something until its
// upstream answers: the first answer replaces them. f has the environment of the stack file,
// without the user's variables, which may name another upstream. A source without samples is
// left out. It logs nothing.
func (h *Host) Seed(ctx context.Context, f stack.Function) error {
	folder, build := sampleFolder(h.Root, f), h.Build[f.Name]
	if folder == nil || build == nil {
		return nil
	}
	env, err := h.sampleEnv(f, folder, build)
	if err != nil {
		return err
	}
	env.Log = slog.New(slog.DiscardHandler)
	source, err := build(env)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/", http.NoBody)
	if err != nil {
		return err
	}
	source.ServeHTTP(&recorder{header: http.Header{}}, req)
	return nil
}
