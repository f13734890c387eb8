package secret

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const short = 6 // bytes; a shorter secret is redacted only where it is a whole word

// patterns returns what to redact because of a secret's part v: v itself, and the text that
// contains v in base64, as in the header of a login with user and password, and in hex. The
// decoder finds the other encodings.
func patterns(v string) []pattern {
	out := encoded(v)
	whole := public(v) > 0 || strings.ContainsAny(v, " \t\n") || settings(v) // it has words that are no secret
	for i := range out {
		if out[i].partly = max(piece, (len(out[i].text)+1)/2); out[i].word || whole {
			out[i].partly = len(out[i].text)
		}
	}
	for from := 4; !whole && from+piece <= len(v); from += 4 {
		out = append(out, pattern{text: v[from:], partly: piece, atLeast: piece})
	}
	return out
}

// settings reports whether v is JSON: settings are in the secrets' folder, too.
func settings(v string) bool {
	return strings.HasPrefix(v, "{") && strings.HasSuffix(v, "}") && json.Valid([]byte(v))
}

// piece is the length of a part of a secret that is redacted, too: somebody may have cut the
// secret, such as a log that breaks its lines.
const piece = 12

// encoded is patterns, without partly.
func encoded(v string) []pattern {
	if len(v) < short {
		return []pattern{{text: v, word: true, atLeast: max(1, len(v)/2)}, {text: base64.RawStdEncoding.EncodeToString([]byte(v)), word: true, atLeast: 4, padded: true}}
	}
	out := []pattern{{text: v, atLeast: public(v) + min(4, len(v)/2)}}
	for _, digits := range []string{"%x", "%X"} {
		out = append(out, pattern{text: fmt.Sprintf(digits, v), atLeast: 8})
	}
	for before := range 3 { // bytes before v in the first group of three
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			bits := 8 * (before + len(v))
			b := e.EncodeToString([]byte(strings.Repeat("x", before) + v))
			out = append(out, pattern{text: b[(8*before+5)/6 : bits/6], head: before > 0, tail: bits%6 > 0, padded: true, atLeast: 6})
		}
	}
	return out
}

// public returns how many bytes at the beginning of v are not secret: the scheme of a URL.
func public(v string) int {
	scheme, _, ok := strings.Cut(v, "://")
	if !ok || !schemeName.MatchString(scheme) {
		return 0
	}
	return len(scheme) + len("://")
}

// parts returns v and the parts of v that are secrets by themselves: the password of
// a URL or of a connection string with key=value pairs. In a web address without a
// password it is the user (a token), or else the path (of a webhook) and its longer parts.
func parts(v string) []string {
	out := append([]string{v}, passwords(v)...)
	if part := secretOfURL(v); part != "" {
		out = append(append(out, part), secretsOf(v)...)
		path, _, _ := strings.Cut(part, "?")
		for segment := range strings.SplitSeq(path, "/") { // the last one of a webhook is its token
			if len(segment) >= 12 && random(segment) {
				out = append(out, segment)
			}
		}
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

// shown returns v as the visible text of a web page that contains it unescaped: without what
// looks like a tag, its entities decoded, each run of spaces as one.
func shown(v string) []string {
	var out []string
	for _, space := range []string{"", " "} {
		text := strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(v, space))), " ")
		if text != v && len(text) >= short {
			out = append(out, text)
		}
	}
	return out
}

var tag = regexp.MustCompile(`</?[A-Za-z][^>]*>|<!--.*?-->|<[!?][^>]*>`)

// unescaped adds to parts the forms without percent escapes, except that of
// parts[0], and those of a web page. It returns them sorted, without duplicates and empty
// strings.
func unescaped(parts []string) []string {
	for _, p := range parts {
		parts = append(parts, shown(p)...)
	}
	for _, p := range parts[1:] {
		if decoded, err := url.PathUnescape(p); err == nil {
			parts = append(parts, decoded)
		}
	}
	slices.Sort(parts)
	return slices.DeleteFunc(slices.Compact(parts), func(p string) bool { return p == "" })
}
