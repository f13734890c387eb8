package printable

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestLinesAndTexts(t *testing.T) {
	for s, want := range map[string]struct{ line, text string }{
		"":                          {"", ""},
		"Küche 21,5 °C · 温度 🌡":      {"Küche 21,5 °C · 温度 🌡", "Küche 21,5 °C · 温度 🌡"},
		"a\nb\tc":                   {"a b c", "a\nb\tc"},
		"a\r\nb\rc":                 {"a b c", "a\nb·c"},
		"\x1b[2J\x07\x00\x7f":       {"·[2J···", "·[2J···"},
		"\u009b2J":                  {"·2J", "·2J"},             // one character that begins an escape sequence
		"a\u202egpj.exe":            {"a·gpj.exe", "a·gpj.exe"}, // from right to left
		"\u2066a\u2069\u200b\ufeff": {"·a···", "·a···"},
		"a\u2028b\u2029c":           {"a b c", "a·b·c"},
		"\U000e0041\u00ad":          {"··", "··"},
		"a\xff\xc3b":                {"a··b", "a··b"},
		"👩🏽\u200d💻 ❤️\u200d🔥":       {"👩🏽\u200d💻 ❤️\u200d🔥", "👩🏽\u200d💻 ❤️\u200d🔥"},
		"می\u200cخواهم":             {"می\u200cخواهم", "می\u200cخواهم"},
		"sen\u200dsors\u200c":       {"sen·sors·", "sen·sors·"}, // not another name that looks like sensors
		"💻\u200d\u200d\u200d":       {"💻\u200d··", "💻\u200d··"},
		"\u202e\u200d\n\u200c":      {"·· ·", "··\n·"},
	} {
		if got := Line(s); got != want.line {
			t.Errorf("Line(%q) = %q, want %q", s, got, want.line)
		}
		if got := Text(s); got != want.text {
			t.Errorf("Text(%q) = %q, want %q", s, got, want.text)
		}
	}
}

// joined matches a joiner that stays, with the character before it.
var joined = regexp.MustCompile(`([^\x{0}-\x{5ff}\p{Cc}\p{Cf}\p{Zl}\p{Zp}])[\x{200c}\x{200d}]`)

func invisible(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

func TestNothingHiddenIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		s += rapid.StringOf(rapid.RuneFrom(nil, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.L, unicode.So)).Draw(t, "runes")
		line, text := Line(s), Text(s)
		for _, got := range []string{line, strings.NewReplacer("\n", "", "\t", "").Replace(text)} {
			if got = joined.ReplaceAllString(got, "$1"); !utf8.ValidString(got) || strings.ContainsFunc(got, invisible) {
				t.Fatalf("%q became %q", s, got)
			}
		}
		if strings.Count(text, "\n") != strings.Count(s, "\n") || strings.Count(text, "\t") != strings.Count(s, "\t") {
			t.Fatalf("%q became %q", s, text)
		}
		encoded, err := json.MarshalIndent(map[string]string{s: s}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]string
		shown := JSON(encoded)
		if json.Unmarshal(encoded, &want) != nil || json.Unmarshal(shown, &got) != nil || len(got) != 1 {
			t.Fatalf("%q became %q", encoded, shown)
		}
		for k, v := range want {
			if got[k] != v {
				t.Fatalf("%q became %q", encoded, shown)
			}
		}
		if clean := strings.NewReplacer("\n", "", "\t", "").Replace(string(shown)); strings.ContainsFunc(clean, invisible) {
			t.Fatalf("%q became %q", encoded, shown)
		}
	})
}
