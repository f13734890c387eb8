// Package terminal writes log records for people: one short line each.
package terminal

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/hearth-home/hearth/shared/printable"
)

// Writer writes lines to an io.Writer. Several handlers may share it, concurrently.
type Writer struct {
	mu    sync.Mutex
	w     io.Writer
	color bool
}

// NewWriter returns a Writer; color allows escape sequences.
func NewWriter(w io.Writer, color bool) *Writer { return &Writer{w: w, color: color} }

// Is reports whether w is a terminal.
func Is(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && isatty.IsTerminal(f.Fd())
}

// Handler is a slog.Handler. It passes each text to redact before it is written.
type Handler struct {
	out    *Writer
	redact func(string) string
	attrs  []slog.Attr
}

// NewHandler returns a handler that writes to out.
func NewHandler(out *Writer, redact func(string) string) *Handler {
	return &Handler{out: out, redact: redact}
}

// Enabled reports whether a record is written: all but debug records.
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// WithGroup ignores the group: nothing here uses groups.
func (h *Handler) WithGroup(string) slog.Handler { return h }

func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.out, h.redact, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	dim    = "\x1b[2m"
	plain  = "\x1b[0m"
)

func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	values := map[string]string{}
	var order []string
	add := func(a slog.Attr) bool {
		if _, twice := values[a.Key]; !twice {
			order = append(order, a.Key)
		}
		values[a.Key] = fmt.Sprint(a.Value.Resolve().Any())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)

	name := values["function"]
	if name == "" {
		name = "hearth"
	}
	text := ""
	if r.Message == "run" && values["status"] != "" {
		text = run(values)
	} else {
		text = other(r.Message, order, values)
	}
	name, text = oneLine(h.redact(name)), oneLine(h.redact(text))
	color := map[slog.Level]string{slog.LevelWarn: yellow, slog.LevelError: red}[r.Level]
	return h.out.line(r.Time, name, text, color)
}

func (w *Writer) line(at time.Time, name, text, color string) error {
	clock := at.Local().Format(time.TimeOnly)
	line := fmt.Sprintf("%s  %-15s %s\n", clock, name, text)
	if w.color {
		if color == "" && strings.HasPrefix(text, "ok") {
			text = green + "ok" + plain + text[2:]
		}
		line = fmt.Sprintf("%s%s%s  %-15s %s%s%s\n", dim, clock, plain, name, color, text, plain)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := io.WriteString(w.w, line)
	return err
}

// run returns the line for a source's run.
func run(v map[string]string) string {
	text := v["status"]
	switch text {
	case "not_configured":
		return "not configured"
	case "dry_run":
		return fmt.Sprintf("dry run · %s ms", v["took_ms"])
	case "failed":
		return fmt.Sprintf("failed (%s) · %s", v["code"], v["err"])
	case "running":
		return "is running already"
	}
	text += fmt.Sprintf(" · %s new · %s unchanged · %s ms", v["stored"], v["unchanged"], v["took_ms"])
	if w := strings.Trim(v["warnings"], "[]"); w != "" {
		text += " · " + w
	}
	return text
}

func other(message string, order []string, v map[string]string) string {
	for _, k := range order {
		switch {
		case k == "function", k == "err" && v[k] == "<nil>":
		case k == "err":
			message += ": " + v[k]
		default:
			message += " " + k + "=" + v[k]
		}
	}
	return message
}

// oneLine separates lines by a dot.
func oneLine(s string) string {
	return printable.Line(strings.ReplaceAll(strings.TrimSpace(s), "\n", " · "))
}
