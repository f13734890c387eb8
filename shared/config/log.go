package config

import (
	"encoding/json"
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
	out := []byte(r.f.Redact(string(line)))
	if !json.Valid(out) { // a secret that is a number was one of the values
		out, _ = json.Marshal(map[string]string{"level": "WARN", "msg": string(out)}) // strings always encode
		out = append(out, '\n')
	}
	if _, err := r.w.Write(out); err != nil {
		return 0, err
	}
	return len(line), nil
}
