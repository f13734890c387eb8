package secret

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const short = 6 // bytes: what has fewer is looked for as a whole word

// forms returns v as it turns up. An upstream that tells it back in JSON is
// quoted in an error, which is quoted once more in a log.
func forms(v string) []string {
	out := []string{
		v, url.QueryEscape(v), url.PathEscape(v), inUserinfo(v), html.EscapeString(v),
		base64.StdEncoding.EncodeToString([]byte(v)), base64.URLEncoding.EncodeToString([]byte(v)),
	}
	for _, escaped := range out[1:4] {
		out = append(out, escape.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	quoted := []string{v, inJSON(v)}
	for range 3 {
		for i, q := range quoted {
			q = strconv.Quote(q)
			quoted[i] = q[1 : len(q)-1]
		}
		out = append(out, quoted...)
	}
	return append(out, inJSON(v))
}

var escape = regexp.MustCompile(`%[0-9A-F]{2}`)

func inUserinfo(v string) string { return strings.TrimPrefix(url.UserPassword("", v).String(), ":") }

// inJSON is v as json.Encoder writes it: \u0026 for an ampersand.
func inJSON(v string) string {
	b, err := json.Marshal(v)
	if err != nil {
		return v
	}
	return string(b[1 : len(b)-1])
}

// parts returns v and what of it is secret by itself: the password of a URL or
// of key=value words, the token or the path that a URL has in its place.
func parts(v string) []string {
	out := append([]string{v}, passwords(v)...)
	scheme, rest, ok := strings.Cut(v, "://")
	if !ok || !word.MatchString(scheme) || strings.ContainsAny(v, "\r\n") { // a file of settings may name a URL
		return unescaped(out)
	}
	web := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i+1:]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 && !web {
		authority, at = rest, strings.LastIndexByte(rest, '@') // a password with a slash in it, as it is
	}
	user, password, ok := "", "", false
	if at >= 0 {
		user, password, ok = strings.Cut(authority[:at], ":")
	}
	switch {
	case ok:
		out = append(out, password)
	case web && at >= 0:
		out = append(out, user)
	case web && len(path) >= short: // a webhook; a short one is a database or a version
		out = append(out, path)
	}
	return unescaped(out)
}

var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)

// setting is password=… of a connection string: PostgreSQL's, where \ and '
// quote, or another's, where a semicolon or an ampersand ends it.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
var setting = regexp.MustCompile(`(?i)(?:password|passwd|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?:[^\s\\]|\\.)+)`)

var backslash = regexp.MustCompile(`\\(.)`)

func passwords(v string) []string {
	var out []string
	for _, m := range setting.FindAllStringSubmatch(v, -1) {
		p := m[1]
		if p[0] == '\'' || p[0] == '"' {
			p = p[1 : len(p)-1]
		} else if i := strings.IndexAny(p, ";&"); i > 0 {
			out = append(out, p[:i])
		}
		out = append(out, p, backslash.ReplaceAllString(p, "$1"))
	}
	return out
}

// unescaped adds to parts, all but the first, what they are without percent
// escapes, and drops empty ones.
func unescaped(parts []string) []string {
	for _, p := range parts[1:] {
		if decoded, err := url.PathUnescape(p); err == nil {
			parts = append(parts, decoded)
		}
	}
	slices.Sort(parts)
	return slices.DeleteFunc(slices.Compact(parts), func(p string) bool { return p == "" })
}

// replace takes form out of s: everywhere, or where it is short as a word.
func replace(s, form string) string {
	if len(form) >= short {
		return strings.ReplaceAll(s, form, Redacted)
	}
	var out strings.Builder
	for from := 0; ; {
		i := strings.Index(s[from:], form)
		if i < 0 {
			out.WriteString(s[from:])
			return out.String()
		}
		i += from
		end := i + len(form)
		if begins(s[:i], form) && ends(form, s[end:]) {
			out.WriteString(s[from:i] + Redacted)
		} else {
			end = i + 1
			out.WriteString(s[from:end])
		}
		from = end
	}
}

// escaped ends with one character that an encoder wrote as several: the n of \n
// is no letter of the word behind it.
var escaped = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2}|\\[a-z]|\\u[0-9A-Fa-f]{4})$`)

func begins(before, form string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(form)
	return !inWord(last) || !inWord(first) || escaped.MatchString(before[max(0, len(before)-6):])
}

func ends(form, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(form)
	next, _ := utf8.DecodeRuneInString(after)
	return !inWord(last) || !inWord(next)
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
