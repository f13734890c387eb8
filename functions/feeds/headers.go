package function

import (
	"encoding/base64"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/hearth-home/hearth/shared/secret"
)

// headers are the headers of the secret FEED_HEADERS_SECRET, by the name of a feed or page.
type headers struct {
	of       map[string]http.Header
	wrong    map[string]error // by name, too
	warnings []string
}

var (
	headerForm = regexp.MustCompile(`^([^=:]+)=([^\s:]+):\s*(.*)$`)

	// ownHeaders are set by what sends the request.
	ownHeaders = []string{"Host", "Connection", "Content-Length", "Transfer-Encoding", "Accept-Encoding", "Te", "Trailer", "Upgrade"}
)

// readHeaders reads the secret: name=Header: value, separated by semicolons or line breaks. A
// value with a semicolon stands in ' or ". No text that it returns has a part of the secret.
// What it reads is redacted from then on.
func readHeaders(s secret.String, folder *secret.Folder, watches map[string]watch) headers {
	h := headers{of: map[string]http.Header{}, wrong: map[string]error{}}
	elements, err := split(s.Reveal())
	if err != nil {
		h.warnings = append(h.warnings, "the secret "+s.Name()+" is not read: a quote is not closed")
	}
	for _, words := range elements {
		m := headerForm.FindStringSubmatch(strings.Join(words, " "))
		if m == nil {
			h.warnings = append(h.warnings, "a part of the secret "+s.Name()+" is not name=Header: value; a value with a semicolon stands in quotes")
			continue
		}
		name, key, value := strings.TrimSpace(m[1]), http.CanonicalHeaderKey(m[2]), strings.TrimSpace(m[3])
		for _, part := range headerSecrets(value) {
			folder.Remember(part)
		}
		switch _, known := watches[name]; {
		case !known:
			h.warnings = append(h.warnings, "the secret "+s.Name()+" has a header for a name that is neither in FEEDS nor in PAGES")
		case !httpguts.ValidHeaderFieldName(key) || !httpguts.ValidHeaderFieldValue(value) || value == "" || slices.Contains(ownHeaders, key):
			h.wrong[name] = errors.New("a header in the secret " + s.Name() + " cannot be sent")
		default:
			if h.of[name] == nil {
				h.of[name] = http.Header{}
			}
			h.of[name].Add(key, value)
		}
	}
	return h
}

// headerSecrets returns the value of a header and the parts that are secrets by themselves: a
// token, the password of Basic, the values of cookies.
func headerSecrets(value string) []string {
	out := []string{value}
	if scheme, token, ok := strings.Cut(value, " "); ok && !strings.ContainsAny(scheme, "=;,") {
		token = strings.TrimSpace(token)
		out = append(out, token)
		if login, err := base64.StdEncoding.DecodeString(token); err == nil && strings.EqualFold(scheme, "Basic") {
			_, password, _ := strings.Cut(string(login), ":")
			out = append(out, string(login), password)
		}
	}
	for pair := range strings.SplitSeq(value, ";") {
		if _, v, ok := strings.Cut(pair, "="); ok && len(strings.TrimSpace(v)) >= 8 { // a shorter one is a setting such as theme=dark
			out = append(out, strings.Trim(v, ` "`))
		}
	}
	return out
}
