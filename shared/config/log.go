package config

import (
	"io"
	"log/slog"

	"github.com/hearth-home/hearth/shared/secret"
)

// Logger writes one JSON object a line, without the secrets of f.
func Logger(w io.Writer, f *secret.Folder) *slog.Logger {
	return slog.New(slog.NewJSONHandler(redactor{w, f}, nil))
}

// redactor stands behind the encoder, where no attribute gets past it.
type redactor struct {
	w io.Writer
	f *secret.Folder
}

func (r redactor) Write(line []byte) (int, error) {
	if _, err := io.WriteString(r.w, r.f.Redact(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}
