package config

import (
	"encoding/json"
	"io"
	"log/slog"

	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/secret"
)

// Logger returns a logger that writes one JSON object per line, with the secrets of f
// redacted. Texts in it cannot control a terminal. A duration is a text with its unit: "24h0m0s".
func Logger(w io.Writer, f *secret.Folder) *slog.Logger {
	return slog.New(slog.NewJSONHandler(redactor{w, f}, &slog.HandlerOptions{ReplaceAttr: withUnit}))
}

// withUnit makes a text of a duration: slog would write the nanoseconds, as a number.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if v := a.Value.Resolve(); v.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(v.Duration().String())
	}
	return a
}

// redactor redacts whole encoded lines, so that no attribute is missed.
type redactor struct {
	w io.Writer
	f *secret.Folder
}

func (r redactor) Write(line []byte) (int, error) {
	out := []byte(r.f.Redact(string(line)))
	if !json.Valid(out) { // a number was replaced by [secret], which is no JSON value
		out, _ = json.Marshal(map[string]string{"level": "WARN", "msg": string(out)}) // never fails: strings always encode
		out = append(out, '\n')
	}
	if _, err := r.w.Write(printable.JSON(out)); err != nil {
		return 0, err
	}
	return len(line), nil
}
