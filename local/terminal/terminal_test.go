package terminal

import (
	"bytes"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func logger(color bool) (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	redact := func(s string) string { return strings.ReplaceAll(s, "geheim", "[secret]") }
	return slog.New(NewHandler(NewWriter(&b, color), redact)), &b
}

func TestEachRecordIsOneShortLine(t *testing.T) {
	for want, record := range map[string]func(*slog.Logger){
		`weather         ok · 12 new · 3 unchanged · 231 ms`: func(l *slog.Logger) {
			l.With("function", "weather", "run", "x", "status", "ok", "code", 200, "stored", 12, "unchanged", 3, "took_ms", 231).Info("run")
		},
		`stocks          failed (502) · finnhub.io answered 500: "x"`: func(l *slog.Logger) {
			l.Error("run", "function", "stocks", "status", "failed", "code", 502, "err", errors.New(`finnhub.io answered 500: "x"`))
		},
		`feeds           partial · 1 new · 0 unchanged · 5 ms · shop: no`: func(l *slog.Logger) {
			l.Warn("run", "function", "feeds", "status", "partial", "stored", 1, "unchanged", 0, "took_ms", 5, "warnings", []string{"shop: no"}, "err", nil)
		},
		`hearth          slack: [secret] is no token try=2`: func(l *slog.Logger) {
			l.Warn("slack", "err", errors.New("geheim is no token"), "try", 2)
		},
		`edge            stopped readings=7`: func(l *slog.Logger) { l.Info("stopped", "function", "edge", "readings", 7, "err", nil) },
		`hearth          a·[2J · b c·d`:      func(l *slog.Logger) { l.Info("a\x1b[2J\nb\tc\u202ed") },
	} {
		log, b := logger(false)
		record(log)
		if !regexp.MustCompile(`^\d\d:\d\d:\d\d  ` + regexp.QuoteMeta(want) + `\n$`).MatchString(b.String()) {
			t.Errorf("got  %q\nwant %q", b.String(), want)
		}
	}
}

func TestColorsAreOptional(t *testing.T) {
	log, b := logger(true)
	log.Error("x")
	if !strings.Contains(b.String(), red) {
		t.Errorf("%q has no color", b.String())
	}
	log, b = logger(false)
	log.Error("x")
	if strings.Contains(b.String(), "\x1b") {
		t.Errorf("%q has an escape sequence", b.String())
	}
}
