package config

import (
	"io"
	"log/slog"

	"github.com/hearth-home/hearth/shared/secret"
)

// Logger writes one JSON object a line, without the secrets of f.
func Logger(w io.Writer, f *secret.Folder) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch v := a.Value.Any().(type) {
			case string:
				a.Value = slog.StringValue(f.Redact(v))
			case error:
				a.Value = slog.StringValue(f.Redact(v.Error()))
			}
			return a
		},
	}))
}
