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

const short = 6 // bytes; a shorter secret is redacted only where it is a whole word

// forms returns the forms in which v may appear in a text: escaped for a URL, HTML or
// JSON, in base64, and quoted up to three times. For example an upstream repeats v in
// JSON, an error quotes this answer, and the log quotes the error.
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

// inUserinfo returns v as net/url writes it in user:password@host.
func inUserinfo(v string) string { return strings.TrimPrefix(url.UserPassword("", v).String(), ":") }

// inJSON returns v as json.Encoder writes it: \u0026 for an ampersand.
func inJSON(v string) string {
	b, err := json.Marshal(v)
	if err != nil {
		return v
	}
	return string(b[1 : len(b)-1])
}

// parts returns v and the parts of v that are secrets by themselves: the password of
// a URL or of a connection string with key=value pairs. In a web address without a
// password it is the user (a token), or else the path (of a webhook).
func parts(v string) []string {
	out := append([]string{v}, passwords(v)...)
	if part := secretOfURL(v); part != "" {
		out = append(out, part)
	}
	return unescaped(out)
}

// secretOfURL returns the secret part of a URL, "" if v is no URL or has none.
func secretOfURL(v string) string {
	scheme, rest, ok := strings.Cut(v, "://")
	if !ok || !schemeName.MatchString(scheme) || strings.ContainsAny(v, "\r\n") { // several lines are settings that contain a URL
		return ""
	}
	web := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i+1:]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 && !web { // perhaps the password has a slash that is not escaped
		authority, at = rest, strings.LastIndexByte(rest, '@')
	}
	if at >= 0 {
		user, password, ok := strings.Cut(authority[:at], ":")
		switch {
		case ok:
			return password
		case web: // a token in place of user and password
			return user
		}
		return ""
	}
	if web && len(path) >= short { // of a webhook; a shorter path is no secret
		return path
	}
	return ""
}

var schemeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)

// passwordPair matches password=… in a connection string. The value is as in
// PostgreSQL, where a backslash escapes and ' quotes; in other connection strings a
// semicolon or an ampersand ends the value, which passwords handles.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
var passwordPair = regexp.MustCompile(`(?i)(?:password|passwd|pwd)\s*=\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?:[^\s\\]|\\.)+)`)

var backslash = regexp.MustCompile(`\\(.)`)

// passwords returns the values of password=… in v, as written and without escapes.
func passwords(v string) []string {
	var out []string
	for _, m := range passwordPair.FindAllStringSubmatch(v, -1) {
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

// unescaped adds to parts the forms without percent escapes, except that of
// parts[0]. It returns them sorted, without duplicates and empty strings.
func unescaped(parts []string) []string {
	for _, p := range parts[1:] {
		if decoded, err := url.PathUnescape(p); err == nil {
			parts = append(parts, decoded)
		}
	}
	slices.Sort(parts)
	return slices.DeleteFunc(slices.Compact(parts), func(p string) bool { return p == "" })
}

// replace returns s with redacted in place of form. A short form is replaced only
// where it is a whole word.
func replace(s, form string) string {
	if len(form) >= short {
		return strings.ReplaceAll(s, form, redacted)
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
			out.WriteString(s[from:i] + redacted)
		} else {
			end = i + 1
			out.WriteString(s[from:end])
		}
		from = end
	}
}

// escapedEnd matches an escape sequence at the end of a text. Its last letter, such as
// the n of \n, does not belong to a word that follows.
var escapedEnd = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2}|\\[a-z]|\\u[0-9A-Fa-f]{4})$`)

// begins reports whether form, which follows before, begins a word there.
func begins(before, form string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(form)
	return !inWord(last) || !inWord(first) || escapedEnd.MatchString(before[max(0, len(before)-6):])
}

// ends reports whether form ends a word before after.
func ends(form, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(form)
	next, _ := utf8.DecodeRuneInString(after)
	return !inWord(last) || !inWord(next)
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
