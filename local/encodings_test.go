package local

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// everyEncoding returns the secrets that were sent, each in all the ways in which a program
// repeats one.
func everyEncoding(sent string) string {
	var out []string
	for _, key := range planted.FindAllString(sent, -1) {
		key += tail
		inJSON, _ := json.Marshal(key) // never fails: it is a string
		in := string(inJSON[1 : len(inJSON)-1])
		out = append(out, key, url.QueryEscape(key), url.PathEscape(key), url.QueryEscape(url.QueryEscape(key)), html.EscapeString(key), in,
			strings.ReplaceAll(in, "/", `\/`), html.EscapeString(in), url.QueryEscape(html.EscapeString(key)), unquoted(strconv.QuoteToASCII(key)),
			strings.ReplaceAll(html.EscapeString(key), "&#39;", "&#x27;"), every(key, `\u%04x`), every(key, `\u%04X`), every(key, "&#%d;"), every(key, "&#x%X;"),
			every(key[:20], `\x%02x`)+tail, every(key[:20], "%%%02X")+tail, every(key[:20], "%%25%02x")+tail)
		for _, before := range []string{"", "u:", "me:", "key:"} {
			out = append(out, base64.StdEncoding.EncodeToString([]byte(before+key)), base64.RawURLEncoding.EncodeToString([]byte(before+key)))
		}
	}
	return strings.Join(out, " ")
}

// planted matches the beginning of a value of plant.
var planted = regexp.MustCompile(`[A-Z]{2,13}PLANTED[A-Z]*`)

func every(v, format string) string {
	var out strings.Builder
	for _, c := range v {
		fmt.Fprintf(&out, format, c)
	}
	return out.String()
}

func unquoted(s string) string { return s[1 : len(s)-1] }

// escapes matches escape sequences of one character, whose number is in hex or decimal.
var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|&#x[0-9A-Fa-f]+;|&#[0-9]+;|\\[/\\"']|&(?:amp|quot|lt|gt|apos);`)

// decoded returns a text with its escape sequences decoded up to five times, each time anew.
func decoded(text string) (all []string) {
	for range 6 {
		all = append(all, text)
		text = escapes.ReplaceAllStringFunc(text, func(s string) string {
			switch {
			case strings.HasPrefix(s, "&"):
				return html.UnescapeString(s)
			case len(s) == 2:
				return s[1:]
			}
			n, _ := strconv.ParseInt(strings.Trim(s, `%\ux`), 16, 32) // never fails: these are digits
			return string(rune(n))
		})
	}
	return all
}

func TestEveryEncodingOfASecretIsFound(t *testing.T) {
	v := plant("openweather-key")
	all := strings.Split(everyEncoding("GET /?appid="+v+" HTTP/1.1"), " ")
	if len(all) < 25 {
		t.Errorf("%q are %d encodings", all, len(all))
	}
	for _, text := range all {
		if leaked(text, v) == "" && strings.Contains(text, "PLANTED") {
			t.Errorf("%s is not found", text)
		}
	}
	for _, word := range []string{every(v[:20], `\u%04x`), every(v[:20], "%%25%02x"), every(v[:20], "&#x%x;"), base64.StdEncoding.EncodeToString([]byte("me:" + v))} {
		if leaked("said "+word, v) == "" {
			t.Errorf("%s is not found", word)
		}
	}
}
