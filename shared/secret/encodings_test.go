package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding writes a text as a program would repeat it.
type encoding struct {
	name  string
	write func(v string, r *rand.Rand) string
}

// each returns an encoding that writes each byte of a text.
func each(name string, write func(b byte, r *rand.Rand) string) encoding {
	return encoding{name, func(v string, r *rand.Rand) string {
		var out strings.Builder
		for i := range len(v) {
			out.WriteString(write(v[i], r))
		}
		return out.String()
	}}
}

// eachRune is each for runes.
func eachRune(name string, write func(c rune, r *rand.Rand) string) encoding {
	return encoding{name, func(v string, r *rand.Rand) string {
		var out strings.Builder
		for _, c := range v {
			out.WriteString(write(c, r))
		}
		return out.String()
	}}
}

func simple(name string, write func(v string) string) encoding {
	return encoding{name, func(v string, _ *rand.Rand) string { return write(v) }}
}

// uri is JavaScript's encodeURI and encodeURIComponent: it escapes all but these bytes.
func uri(name, but string) encoding {
	return each(name, func(b byte, _ *rand.Rand) string {
		if strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"+but, b) >= 0 {
			return string(b)
		}
		return fmt.Sprintf("%%%02X", b)
	})
}

// units writes a rune as \u with the UTF-16 of JSON.
func units(c rune, format string) string {
	if high, low := utf16.EncodeRune(c); high != utf8.RuneError {
		return fmt.Sprintf(format+format, high, low)
	}
	return fmt.Sprintf(format, c)
}

func inJSON(v string, asHTML bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(asHTML)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return b.String()[1 : b.Len()-2]
}

func asciiJSON(c rune, slash string) string {
	switch {
	case c == '/':
		return slash
	case c < 0x7F:
		return inJSON(string(c), false)
	}
	return units(c, `\u%04x`)
}

func unquoted(s string) string { return s[1 : len(s)-1] }

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

// encodings are those that keep a text readable.
var encodings = []encoding{
	simple("as it is", func(v string) string { return v }),
	simple("Go QueryEscape", url.QueryEscape),
	simple("Go PathEscape", url.PathEscape),
	simple("percent in lower case", func(v string) string { return percent.ReplaceAllStringFunc(url.QueryEscape(v), strings.ToLower) }),
	simple("a URL's password", func(v string) string { return strings.TrimPrefix(url.UserPassword("", v).String(), ":") }),
	uri("encodeURI", ";/?:@&=+$,#"),
	uri("encodeURIComponent", ""),
	simple("a regular expression", regexp.QuoteMeta),
	simple("line protocol", strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `).Replace),
	eachRune("JavaScript escape", func(c rune, _ *rand.Rand) string {
		switch {
		case c >= 0x100:
			return units(c, "%%u%04X")
		case strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789@*_-./", c|0x20):
			return string(c)
		}
		return fmt.Sprintf("%%%02X", c)
	}),
	simple("percent, every byte", percentAll),
	simple("Go JSON", func(v string) string { return inJSON(v, true) }),
	simple("Go JSON without HTML", func(v string) string { return inJSON(v, false) }),
	eachRune("PHP json_encode", func(c rune, _ *rand.Rand) string { return asciiJSON(c, `\/`) }),
	eachRune("Python json.dumps", func(c rune, _ *rand.Rand) string { return asciiJSON(c, "/") }),
	eachRune("PHP with all flags", func(c rune, _ *rand.Rand) string {
		if strings.ContainsRune(`<>&'"`, c) {
			return fmt.Sprintf(`\u%04X`, c)
		}
		return asciiJSON(c, `\/`)
	}),
	eachRune("JSON, every character", func(c rune, _ *rand.Rand) string { return units(c, `\u%04X`) }),
	eachRune(`\u{…}`, func(c rune, _ *rand.Rand) string { return fmt.Sprintf(`\u{%x}`, c) }),
	eachRune(`\U`, func(c rune, _ *rand.Rand) string { return fmt.Sprintf(`\U%08x`, c) }),
	each(`\x`, func(b byte, _ *rand.Rand) string { return fmt.Sprintf(`\x%02x`, b) }),
	each("octal", func(b byte, _ *rand.Rand) string { return fmt.Sprintf(`\%03o`, b) }),
	simple("Go %q", func(v string) string { return unquoted(strconv.Quote(v)) }),
	simple("Go %+q", func(v string) string { return unquoted(strconv.QuoteToASCII(v)) }),
	eachRune("Python repr", func(c rune, _ *rand.Rand) string {
		switch {
		case c == '\\' || c == '\'':
			return `\` + string(c)
		case c >= 0x80 && c < 0x100:
			return fmt.Sprintf(`\x%02x`, c)
		}
		return unquoted(strconv.Quote(string(c)))
	}),
	simple("Go HTML, Python html.escape", html.EscapeString),
	simple("Python html.escape", func(v string) string {
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;").Replace(v)
	}),
	simple("PHP htmlspecialchars", func(v string) string {
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#039;").Replace(v)
	}),
	simple("XML", func(v string) string {
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(v)
	}),
	eachRune("HTML decimal", func(c rune, _ *rand.Rand) string { return fmt.Sprintf("&#%d;", c) }),
	eachRune("HTML hex", func(c rune, _ *rand.Rand) string { return fmt.Sprintf("&#x%02X;", c) }),
	eachRune("HTML names", func(c rune, _ *rand.Rand) string {
		if name, ok := map[rune]string{'/': "sol", '\\': "bsol", '+': "plus", '=': "equals", '%': "percnt", '#': "num", '$': "dollar", '\'': "apos",
			'"': "QUOT", '&': "amp", '<': "lt", '>': "gt", 'ü': "uuml", '?': "quest", ':': "colon", ';': "semi"}[c]; ok {
			return "&" + name + ";"
		}
		return string(c)
	}),
	eachRune("Latin-1 read as UTF-8", func(c rune, _ *rand.Rand) string {
		if c >= 0x80 && c < 0x100 {
			return "\uFFFD"
		}
		return string(c)
	}),
	each("UTF-8 read as Latin-1", func(b byte, _ *rand.Rand) string { return string(rune(b)) }),
	eachRune("a string of a shell", func(c rune, _ *rand.Rand) string {
		if strings.ContainsRune("\"$\\`", c) {
			return `\` + string(c)
		}
		return string(c)
	}),
	eachRune("each character in another way", func(c rune, r *rand.Rand) string {
		escaped := []string{units(c, `\u%04x`), fmt.Sprintf("&#%d;", c), fmt.Sprintf("&#x%x;", c), fmt.Sprintf(`\u{%x}`, c), percentAll(string(c))}
		if unicode.IsLetter(c) { // another character as it is could begin an escape sequence
			escaped = append(escaped, string(c))
		}
		return escaped[r.IntN(len(escaped))]
	}),
}

func percentAll(v string) string {
	var out strings.Builder
	for i := range len(v) {
		fmt.Fprintf(&out, "%%%02x", v[i])
	}
	return out.String()
}

// opaque are the encodings that hide a text. They stand inside the others.
var opaque = []encoding{
	simple("base64", func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) }),
	simple("base64 without padding", func(v string) string { return base64.RawStdEncoding.EncodeToString([]byte(v)) }),
	simple("base64 for URLs", func(v string) string { return base64.URLEncoding.EncodeToString([]byte(v)) }),
	simple("base64 for URLs without padding", func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }),
	simple("hex", func(v string) string { return hex.EncodeToString([]byte(v)) }),
}
